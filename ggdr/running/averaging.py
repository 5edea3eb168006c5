"""Gradients averaged over processes in flat buckets, each on its way while the backward pass still makes the next."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed
from torch import Tensor
from torch.nn import Parameter

BUCKET_BYTES = 25_000_000
"""gradients that travel at once, bytes: large enough for the network, small enough to start early"""


class Averaging:
    """One player's gradients: `expect` before its backward passes, `finish` after them, on every process alike."""

    def __init__(self, parameters: Sequence[Parameter], processes: int):
        self.processes = processes
        self.buckets = filled(list(reversed(parameters)))  # gradients come in about the reverse order of the layers
        self.place = {parameter: index for index, bucket in enumerate(self.buckets) for parameter in bucket}
        for parameter in parameters:
            parameter.register_post_accumulate_grad_hook(self.arrived)

    def expect(self, passes: int) -> None:
        """So many backward passes follow; what the last of them has finished may travel."""
        self.passes, self.sent = passes, 0
        self.arrivals = [0] * len(self.buckets)
        self.travelling: list[tuple[list[Tensor], Tensor, torch.distributed.Work]] = []

    def arrived(self, parameter: Parameter) -> None:
        """A backward pass has added to a gradient. Buckets leave in their order, as they must on every process."""
        self.arrivals[self.place[parameter]] += 1
        while self.sent < len(self.buckets) and self.whole(self.sent):
            self.send()

    def whole(self, index: int) -> bool:
        """Whether the last backward pass has been through a bucket."""
        return self.arrivals[index] == self.passes * len(self.buckets[index])

    def send(self) -> None:
        """Put the next bucket's gradients on their way; what no term has touched has none, on any process."""
        gradients = [parameter.grad for parameter in self.buckets[self.sent] if parameter.grad is not None]
        self.sent += 1
        if gradients:
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            work = torch.distributed.all_reduce(flat, async_op=True)
            assert work is not None
            self.travelling.append((gradients, flat, work))

    @torch.no_grad()
    def finish(self) -> None:
        """Send what is left, wait for all, and leave means in the gradients."""
        while self.sent < len(self.buckets):
            self.send()
        for gradients, flat, work in self.travelling:
            work.wait()
            put_back(flat / self.processes, gradients)


def filled(parameters: Sequence[Parameter]) -> list[list[Parameter]]:
    """The parameters in order, in buckets of about `BUCKET_BYTES`."""
    buckets: list[list[Parameter]] = []
    room = 0
    for parameter in parameters:
        size = parameter.numel() * parameter.element_size()
        if not buckets or size > room:
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
        torch.distributed.broadcast(flat, 0)
        put_back(flat, tensors)


def put_back(flat: Tensor, tensors: Sequence[Tensor]) -> None:
    """Copy a flat vector's parts into the tensors it was made of."""
    for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))
