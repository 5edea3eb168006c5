"""What a run sets up for its device, and what it spares it: TF32, weights, workers, constants, statistics."""

from __future__ import annotations

import dataclasses

import pytest
import tiny
import torch

from ggdr.losses.non_saturating import NonSaturating
from ggdr.networks.base import ImageSpec
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.ops.device import default_num_workers, setup_device, weight_memory_format
from ggdr.ops.precision import allow_tf32, tf32_enabled, without_tf32
from ggdr.play.stats import Window
from ggdr.regularizers.r1 import R1
from ggdr.saving import checkpoint
from ggdr.train import train_step
from ggdr.training import run as running
from ggdr.training.ema import EMA, Written

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture(autouse=True)
def as_before():
    before, trials = tf32_enabled(), torch.backends.cudnn.benchmark
    yield
    allow_tf32(*before)
    torch.backends.cudnn.benchmark = trials


def seen_in(loss, seen: list) -> torch.Tensor:
    """The loss; what is allowed now, and on the way back, is noted."""
    seen.append(tf32_enabled())
    loss.register_hook(lambda _: seen.append(tf32_enabled()))
    return loss


@dataclasses.dataclass(frozen=True, kw_only=True)
class WatchedLoss(NonSaturating):
    def d_loss(self, duel):
        return seen_in(super().d_loss(duel), self.__dict__.setdefault("seen", []))


@dataclasses.dataclass(frozen=True, kw_only=True)
class WatchedPenalty(R1):
    def d_loss(self, duel):
        return seen_in(super().d_loss(duel), self.__dict__.setdefault("seen", []))


def test_penalties_keep_all_bits_there_and_back_where_the_rest_is_in_tf32(tmp_path):
    run = tiny.tiny_run(
        dataclasses.replace(tiny.recipe, loss=WatchedLoss(), regularizers={"r1": WatchedPenalty(weight=1.0)}), tmp_path
    )
    setup_device(CUDA, tf32=True)
    train_step(run, next(run.reals()))
    parts = run.recipe.batch_size // run.micro_batch_size
    assert run.terms["non_saturating"].seen == [(True, True)] * 2 * parts
    assert run.terms["r1"].seen == [(False, False)] * 2 * parts
    assert tf32_enabled() == (True, True)


def test_a_gpu_tries_convolutions_out_and_has_tf32_only_where_asked():
    for asked in (True, False):
        torch.backends.cudnn.benchmark = False
        setup_device(CUDA, asked)
        assert tf32_enabled() == (asked, asked) and torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = False
    allow_tf32(True, False)
    setup_device(CPU, False)
    assert tf32_enabled() == (True, False) and not torch.backends.cudnn.benchmark
    with pytest.raises(KeyError), without_tf32():
        assert tf32_enabled() == (False, False)
        raise KeyError
    assert tf32_enabled() == (True, False)
    assert tiny.recipe.tf32 is False


def test_workers_read_for_a_gpu_unless_the_recipe_says_otherwise():
    assert (default_num_workers(CUDA), default_num_workers(CPU)) == (3, 0)
    assert tiny.recipe.num_workers is None


def weights(run) -> dict[str, torch.Tensor]:
    return {f"{name}.{key}": v for name, net in run.networks.named().items() for key, v in net.state_dict().items()}


def steps(run, count: int):
    reals = run.reals()
    for _ in range(count):
        train_step(run, next(reals))
    return run


def test_weights_that_lie_channels_last_train_are_saved_and_resume_alike(tmp_path, monkeypatch):
    assert weight_memory_format(CUDA) == torch.channels_last and weight_memory_format(CPU) == torch.contiguous_format
    plain = steps(tiny.tiny_run(tiny.recipe, tmp_path / "plain"), 3)
    monkeypatch.setattr(running, "weight_memory_format", lambda device: torch.channels_last)
    ours = steps(tiny.tiny_run(tiny.recipe, tmp_path / "ours"), 3)
    kernels = [p for p in ours.players["d"].parameters if p.ndim == 4 and min(p.shape[1:]) > 1]
    assert kernels and all(p.is_contiguous(memory_format=torch.channels_last) for p in kernels)
    for name, value in weights(plain).items():
        torch.testing.assert_close(weights(ours)[name], value, atol=1e-4, rtol=1e-3, msg=name)
    again = tiny.tiny_run(tiny.recipe, tmp_path / "ours")
    again.load(ours.save())
    for player in again.players.values():
        for parameter, state in player.optimizer.state.items():
            assert state["exp_avg"].stride() == state["exp_avg_sq"].stride() == parameter.stride()
    steps(again, 2), steps(ours, 2)
    assert all(torch.equal(weights(again)[name], value) for name, value in weights(ours).items())
    assert checkpoint.latest(tmp_path / "ours") is not None


def test_the_running_mean_copies_no_constants():
    generator = StyleGAN2GeneratorConfig.tiny().build(ImageSpec(16, 16))
    ema = EMA({"generator": generator}, 10.0, None)
    ema.update(8, 8)
    mean = dict(ema.mean["generator"].named_buffers())
    constant = next(name for name in mean if name.endswith("noise_const"))
    before = {name: buffer._version for name, buffer in mean.items()}
    dict(generator.named_buffers())["mapping.w_avg"].fill_(3.0)
    ema.update(8, 16)
    assert mean["mapping.w_avg"]._version > before["mapping.w_avg"] and (mean["mapping.w_avg"] == 3).all()
    assert mean[constant]._version == before[constant]
    dict(generator.named_buffers())[constant].fill_(2.0)  # as a checkpoint does that is taken back
    ema.update(8, 24)
    assert (mean[constant] == 2).all()


def test_processes_share_only_what_a_step_has_written(tmp_path, monkeypatch):
    sent = []

    def share(tensors):
        """As if from another process: it writes."""
        sent.append([id(tensor) for tensor in tensors])
        for tensor in tensors:
            tensor.add_(0)

    monkeypatch.setattr(running, "share", share)
    run = tiny.tiny_run(tiny.recipe, tmp_path)
    run.processes = 2
    names = {id(b): name for net in run.networks.named().values() for name, b in net.named_buffers()}
    run.share_buffers()
    dict(run.networks["generator"].named_buffers())["mapping.w_avg"].lerp_(torch.ones(8), 0.5)
    run.share_buffers()
    run.share_buffers()
    assert [[names[each] for each in each_time] for each_time in sent] == [[], ["mapping.w_avg"], []]


def test_what_is_written_to_or_exchanged_is_noticed_once():
    tensors = [torch.zeros(2), torch.zeros(2)]
    written = Written(tensors)
    assert written.since(tensors) == []
    tensors[1].add_(1)
    assert (written.since(tensors), written.since(tensors)) == ([1], [])
    tensors[0] = torch.zeros(2)
    assert written.since(tensors) == [0]
    assert Written([]).since(tensors) == [0, 1]


def test_a_window_holds_sums_and_gives_each_numbers_mean_over_the_steps_that_had_it():
    window = Window()
    assert window.take() == {}
    vectors = [torch.tensor([1.0, 10.0]), torch.tensor([3.0, 20.0]), torch.tensor([8.0, 30.0])]
    for step, (first, second) in enumerate(vector.unbind() for vector in vectors):
        window.add({"often": first, "image": torch.zeros(3)} | ({"seldom": second[None]} if step != 1 else {}))
    assert sorted(window.sums) == ["often", "seldom"]
    assert [vector.tolist() for vector in vectors] == [[1, 10], [3, 20], [8, 30]]  # no step's are written to
    assert {name: mean.item() for name, mean in window.take().items()} == {"often": 4.0, "seldom": 20.0}
    assert window.take() == {}
