"""The same image at other sizes: doubled by repeating pixels, halved by averaging them (PGGAN, arXiv 1710.10196)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from ggdr.ops.precision import without_autocast


def doubled(x: Tensor, times: int = 1) -> Tensor:
    """[N, C, H, W] to 2**times the size, each pixel a square of its own colour."""
    with without_autocast(x):  # which would make float32 maps of it on CUDA
        return F.interpolate(x, scale_factor=2.0**times, mode="nearest") if times else x


def resized(x: Tensor, size: tuple[int, int], mode: Literal["nearest", "bilinear"]) -> Tensor:
    """[N, C, H, W] to [N, C, *size], as `torch.nn.functional.interpolate` does; the type stays."""
    with without_autocast(x):
        return F.interpolate(x, size, mode=mode)


def halved(x: Tensor, times: int = 1) -> Tensor:
    """[N, C, H, W] to 1 / 2**times of the size, each pixel the mean of its square."""
    return F.avg_pool2d(x, 2**times) if times else x


def at_level(image: Tensor, missing: int, share: float) -> Tensor:
    """image [N, C, H, W] with the detail that is left `missing` halvings below it, at its full size.

    share: of the finest detail that is left, 0 to 1, against what one halving more leaves.
    """
    small = halved(image, missing)
    if share < 1:
        small = doubled(halved(small)).lerp(small, share)
    return doubled(small, missing)
