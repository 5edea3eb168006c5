"""Halving and doubling of maps after a blur, so that they do not alias (Zhang 2019, arXiv 1904.11486)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from ggdr.ops.fir import TAPS, upfirdn2d
from ggdr.ops.precision import without_autocast

DOWN_TAPS = (1.0, 2.0, 1.0)
"""The binomial filter before every second sample is kept."""


def blur_down(x: Tensor) -> Tensor:
    """Blur [N, C, H, W], reflected at the edges, and keep every second sample: [N, C, ceil(H / 2), ceil(W / 2)]."""
    with without_autocast(x):
        return upfirdn2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), DOWN_TAPS, down=2)


def blur_up(x: Tensor) -> Tensor:
    """Double the resolution of [N, C, H, W], whose edges go on beyond it, with the [1, 3, 3, 1] filter."""
    with without_autocast(x):
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        return upfirdn2d(x, TAPS, up=2, padding=(0, -1, 0, -1), gain=4.0)
