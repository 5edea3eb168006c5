"""Random jitter: which part of a larger image is shown, and whether mirrored; a pure function of (seed, position)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ggdr.errors import UserError, setting
from ggdr.seeding import seed_of


class Jitter(NamedTuple):
    """What is done to an image each time it is shown; images that are shown together and jittered alike stay aligned.

    Offsets are drawn on the coarsest of their grids (`step` pixels of this image), so that images whose sizes differ
    by a whole factor show the same part.
    """

    height: int
    """pixels, after the crop"""
    width: int
    flip: bool = False
    """mirror half of the images"""
    step: int = 1
    """pixels that the offset of the crop is a multiple of"""

    def __call__(self, array: np.ndarray, seed: int, position: int) -> np.ndarray:
        """The part [C, height, width] of an image [C, H, W], at least as large, that is shown at a position."""
        down, across, mirror = np.random.default_rng(seed_of("jitter", seed, position)).random(3)
        top = self._offset(down, array.shape[1] - self.height)
        left = self._offset(across, array.shape[2] - self.width)
        part = array[:, top : top + self.height, left : left + self.width]
        return part[..., ::-1] if self.flip and mirror < 0.5 else part

    def _offset(self, drawn: float, margin: int) -> int:
        """An offset of 0 to `margin` pixels; `drawn` is uniform in [0, 1)."""
        return self.step * int(drawn * (margin // self.step + 1))


def make_jitter(
    size: tuple[int, int], load_size: int | Sequence[int] | None, flip: bool, step: int = 1
) -> tuple[Jitter | None, tuple[int, int]]:
    """The jitter that settings ask for (None: none), and the size at which images are loaded.

    `size`, `load_size`: height and width, pixels, or one number for both. UserError if there is nothing to cut.
    """
    if load_size is None:
        return (Jitter(*size, flip, step) if flip else None), size
    height, width = (load_size, load_size) if isinstance(load_size, int) else load_size
    if height < size[0] or width < size[1]:
        raise UserError(
            f"{setting('load_size')} {height} {width} is smaller than the images that are cut from it,"
            f" {size[0]}x{size[1]}; give more, as {setting('load_size')} {size[0] * 286 // 256} {size[1] * 286 // 256}."
        )
    return Jitter(*size, flip, step), (height, width)
