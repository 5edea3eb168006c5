"""Gradients on their way: buckets leave within the backward pass, in one order; what nobody touched is not sent."""

import weakref

import pytest
import torch
from torch import nn

from ggdr.training import averaging


class Sent:
    """What an all-reduce hands back: the sum of two processes that hold the same is twice what one holds."""

    def __init__(self, log, flat):
        self.flat = flat
        log.append(flat.numel())

    def wait(self):
        self.flat.mul_(2)


@pytest.fixture
def sent(monkeypatch):
    """Numbers in each vector that was sent, as it was sent."""
    log: list[int] = []
    monkeypatch.setattr(averaging.torch.distributed, "all_reduce", lambda flat, async_op: Sent(log, flat))
    monkeypatch.setattr(averaging, "BUCKET_BYTES", 4 * 30)
    return log


def network():
    return nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 5), nn.Linear(5, 5))


def test_buckets_leave_within_the_last_backward_pass_from_the_output_down(sent):
    net = network()
    watch, seen = [], []
    gradients = averaging.Averaging(list(net.parameters()), 2)
    net[1].weight.register_post_accumulate_grad_hook(lambda _: watch.append(list(sent)))
    gradients.expect(2)
    for _ in range(2):
        net(torch.ones(3, 5)).sum().backward()
        seen.append(list(sent))
    assert seen == [[], [30, 30, 30]]
    assert watch[0] == [] and watch[1][0] == 30  # before the pass came to the end
    before = [p.grad.clone() for p in net.parameters()]
    gradients.finish()
    assert all(torch.equal(p.grad, old) for p, old in zip(net.parameters(), before, strict=True))


def test_what_no_pass_has_touched_is_not_sent_and_holds_nothing_up(sent):
    net = network()
    gradients = averaging.Averaging(list(net.parameters()), 2)
    gradients.expect(1)
    net[0](torch.ones(3, 5)).sum().backward()
    assert sent == []
    gradients.finish()
    assert sent == [30]
    assert net[2].weight.grad is None


def test_gradients_and_what_travels_are_the_same_memory_and_free_once_the_update_is_made(sent, monkeypatch):
    """Of every layout, over several passes: views hold what plain gradients would, and nothing else holds the views."""
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4, 5), nn.Linear(5, 5))
    net[0].to(memory_format=torch.channels_last)
    x = torch.randn(2, 3, 3, 3)
    for _ in range(2):
        net(x).square().sum().backward()
    plain = [p.grad for p in net.parameters()]
    net.zero_grad()
    flats = []
    given = averaging.torch.distributed.all_reduce

    def watched(flat, async_op):
        flats.append(weakref.ref(flat))
        return given(flat, async_op)

    monkeypatch.setattr(averaging.torch.distributed, "all_reduce", watched)
    gradients = averaging.Averaging(list(net.parameters()), 2)
    gradients.expect(2)
    for _ in range(2):
        net(x).square().sum().backward()
    gradients.finish()
    assert [p.grad.stride() for p in net.parameters()] == [p.stride() for p in net.parameters()]
    assert all(torch.equal(p.grad, old) for p, old in zip(net.parameters(), plain, strict=True))
    homes = {flat().untyped_storage().data_ptr() for flat in flats}
    assert {p.grad.untyped_storage().data_ptr() for p in net.parameters()} == homes
    assert sum(sent) == sum(p.numel() for p in net.parameters()) and len(homes) == len(sent)
    net.zero_grad()
    assert [flat() for flat in flats] == [None] * len(sent)


def test_a_gradient_larger_than_a_bucket_travels_alone(sent):
    sizes = [
        [p.numel() for p in bucket]
        for bucket in averaging.filled([nn.Parameter(torch.ones(n)) for n in (90, 8, 22, 1)])
    ]
    assert sizes == [[90], [8, 22], [1]]
