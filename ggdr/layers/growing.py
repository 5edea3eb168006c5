"""How far a network that grows has grown, and how its newest part fades in (arXiv 1710.10196, fig. 2)."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ggdr.ops.scales import upsample_nearest


class Stage(NamedTuple):
    """What of a network is in use."""

    rung: int
    """doublings from the base to the largest size in use"""
    share: float
    """of that size in what comes out, above 0, at most 1; the rest is the size's below"""


class Growth(nn.Module):
    """How far a network has grown, kept in a buffer: so it is saved, resumed, and copied into the running mean."""

    missing: Tensor

    def __init__(self, top: int):
        """`top`: doublings from the base to the whole image. A fresh network has grown to its full size."""
        super().__init__()
        self.top = top
        self.register_buffer("missing", torch.zeros([]))
        self.noted: tuple[Tensor | None, int] = (None, -1)  # the buffer that was last read, and its version
        self.value = 0.0

    def grow(self, level: float) -> None:
        """Have grown to a level, 0 to `top`: whole doublings, and the next one's share; ValueError beyond."""
        if not 0 <= level <= self.top:
            raise ValueError(f"this network grows from level 0 to {self.top}; {level} is none of these.")
        # As float32 has it: it is then the number that a saved network reads.
        value = struct.unpack("f", struct.pack("f", self.top - level))[0]
        if not self.knows() or value != self.value:
            self.missing.fill_(value)
            self.value, self.noted = value, (self.missing, self.missing._version)

    def knows(self) -> bool:
        """Whether `value` is what the buffer holds: nothing else has written to it since."""
        noted, version = self.noted
        return noted is self.missing and version == self.missing._version

    def stage(self) -> Stage:
        """What is in use. The buffer is read, which waits for the device, only after something else wrote to it."""
        if not torch.compiler.is_compiling() and not self.knows():
            self.value = self.missing.item()
            self.noted = (self.missing, self.missing._version)
        level = min(max(self.top - self.value, 0.0), float(self.top))
        rung = math.ceil(level)
        return Stage(rung, level - rung + 1)

    def __getstate__(self) -> dict[str, object]:
        """What a copy takes over: its buffer's versions count from 0 again, so it has read none."""
        return {**self.__dict__, "noted": (None, -1)}

    def image(self, draw: Callable[[int], Tensor]) -> Tensor:
        """The image [N, C, H, W] at full size; `draw` gives that of a rung at the rung's size."""
        rung, share = self.stage()
        image = draw(rung)
        if share < 1:
            image = upsample_nearest(draw(rung - 1)).lerp(image, share)
        return upsample_nearest(image, self.top - rung)
