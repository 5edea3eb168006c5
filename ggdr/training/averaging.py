"""Gradients averaged over processes in flat buckets, each on its way while the backward pass still makes the next."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch
import torch.distributed
from torch import Tensor
from torch.nn import Parameter

from ggdr.processes import together

BUCKET_BYTES = 25_000_000
"""gradients that travel at once, bytes: large enough for the network, small enough to start early"""


class Averaging:
    """One player's gradients: `expect` before its backward passes, `finish` after them, on every process alike.

    Gradients are views of the buckets, so that they are in memory once; a bucket is there from its first gradient on
    until the gradients are dropped.
    """

    def __init__(self, parameters: Sequence[Parameter], processes: int):
        self.processes = processes
        self.open = False  # between `expect` and `finish`: weights may be another player's too, whose turn it is then
        self.buckets = filled(list(reversed(parameters)))  # gradients come in about the reverse order of the layers
        self.places = {
            parameter: (index, start)
            for index, bucket in enumerate(self.buckets)
            for parameter, start in zip(bucket, accumulate([p.numel() for p in bucket], initial=0), strict=False)
        }
        for parameter in parameters:
            parameter.register_post_accumulate_grad_hook(self.arrived)

    def expect(self, passes: int) -> None:
        """Get ready for this many backward passes; what the last of them has finished may travel."""
        self.open, self.passes, self.sent = True, passes, 0
        self.arrivals = [0] * len(self.buckets)
        self.flats: dict[int, Tensor] = {}
        self.travelling: list[tuple[Tensor, torch.distributed.Work]] = []

    def arrived(self, parameter: Parameter) -> None:
        """A backward pass has added to a gradient. Buckets leave in their order, as they must on every process."""
        if not self.open:
            return
        index, start = self.places[parameter]
        if index not in self.flats:
            self.flats[index] = parameter.new_zeros(sum(p.numel() for p in self.buckets[index]))
        flat, made = self.flats[index], parameter.grad
        if made is not None and made.untyped_storage().data_ptr() != flat.untyped_storage().data_ptr():
            # The first pass's: the next ones add to the view.
            parameter.grad = flat.as_strided(parameter.shape, parameter.stride(), start).copy_(made)
        self.arrivals[index] += 1
        while self.sent < len(self.buckets) and self.whole(self.sent):
            self.send()

    def whole(self, index: int) -> bool:
        """Whether the last backward pass has been through a bucket."""
        return self.arrivals[index] == self.passes * len(self.buckets[index])

    def send(self) -> None:
        """Put the next bucket on its way; one that no term has touched is not there, on any process."""
        if (flat := self.flats.get(self.sent)) is not None:
            with together():
                work = torch.distributed.all_reduce(flat, async_op=True)
            assert work is not None
            self.travelling.append((flat, work))
        self.sent += 1

    @torch.no_grad()
    def finish(self) -> None:
        """Send what is left, wait for all, and leave means in the gradients, which alone hold the buckets then."""
        while self.sent < len(self.buckets):
            self.send()
        for flat, work in self.travelling:
            with together():
                work.wait()
            flat /= self.processes
        self.open, self.flats, self.travelling = False, {}, []


def filled(parameters: Sequence[Parameter]) -> list[list[Parameter]]:
    """The parameters in order, in buckets of one type and about `BUCKET_BYTES`."""
    buckets: list[list[Parameter]] = []
    room = 0
    for parameter in parameters:
        size = parameter.numel() * parameter.element_size()
        if not buckets or size > room or buckets[-1][-1].dtype != parameter.dtype:
            buckets.append([])
            room = BUCKET_BYTES
        buckets[-1].append(parameter)
        room -= size
    return buckets


@torch.no_grad()
def share(tensors: Sequence[Tensor]) -> None:
    """Overwrite with the first process's values, in one flat vector."""
    if tensors:
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        with together():
            torch.distributed.broadcast(flat, 0)
        put_back(flat, tensors)


def put_back(flat: Tensor, tensors: Sequence[Tensor]) -> None:
    """Copy a flat vector's parts into the tensors it was made of."""
    for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))
