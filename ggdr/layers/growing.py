"""The level of a network that grows, and how its newest block fades in (Progressive GAN, arXiv 1710.10196, fig. 2)."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ggdr.ops.scales import upsample_nearest


class Stage(NamedTuple):
    """The part of a growing network that is in use."""

    level: int
    """Number of doublings from the base to the largest resolution in use."""
    alpha: float
    """Weight of that resolution in the image (the paper's alpha), in (0, 1]; the rest is the one below, doubled."""


class Growth(nn.Module):
    """The level to which a network has grown, in a buffer: it is saved, resumed, and copied into the running mean."""

    missing: Tensor

    def __init__(self, top: int):
        """Start fully grown, `top` doublings above the base."""
        super().__init__()
        self.top = top
        self.register_buffer("missing", torch.zeros([]))
        self.last_read: tuple[Tensor | None, int] = (None, -1)  # the buffer that was last read, and its version
        self.value = 0.0

    def grow(self, level: float) -> None:
        """Grow to a level from 0 to `top`: whole doublings, and the next one's weight; UserError beyond."""
        if not 0 <= level <= self.top:
            raise ValueError(f"this network grows from level 0 to {self.top}; {level} is none of these.")
        # As float32 has it: it is then the number that a saved network reads.
        value = struct.unpack("f", struct.pack("f", self.top - level))[0]
        if not self.is_current() or value != self.value:
            self.missing.fill_(value)
            self.value, self.last_read = value, (self.missing, self.missing._version)

    def is_current(self) -> bool:
        """Whether `value` is what the buffer holds: nothing else has written to it since."""
        noted, version = self.last_read
        return noted is self.missing and version == self.missing._version

    def stage(self) -> Stage:
        """Return what is in use. Reading the buffer waits for the device, which happens only after something else
        wrote to it."""
        if not torch.compiler.is_compiling() and not self.is_current():
            self.value = self.missing.item()
            self.last_read = (self.missing, self.missing._version)
        level = min(max(self.top - self.value, 0.0), float(self.top))
        index = math.ceil(level)
        return Stage(index, level - index + 1)

    def __getstate__(self) -> dict[str, object]:
        """Return the state of a copy, which has read no buffer yet: versions of a new buffer count from 0."""
        return {**self.__dict__, "noted": (None, -1)}

    def image(self, draw: Callable[[int], Tensor]) -> Tensor:
        """Return the image [N, C, H, W] at full size; `draw(level)` returns that of a level at the level's size."""
        index, alpha = self.stage()
        image = draw(index)
        if alpha < 1:
            image = upsample_nearest(draw(index - 1)).lerp(image, alpha)
        return upsample_nearest(image, self.top - index)
