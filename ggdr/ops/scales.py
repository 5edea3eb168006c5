"""Images at other resolutions: doubled by repeating pixels, halved by averaging (PGGAN, arXiv 1710.10196)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from ggdr.ops.precision import without_autocast


def upsample_nearest(x: Tensor, times: int = 1) -> Tensor:
    """Enlarge [N, C, H, W] by 2**times, each pixel to a square of its colour."""
    with without_autocast(x):  # which would make float32 maps of it on CUDA
        return F.interpolate(x, scale_factor=2.0**times, mode="nearest") if times else x


def interpolate(x: Tensor, size: tuple[int, int], mode: Literal["nearest", "bilinear"]) -> Tensor:
    """Resize [N, C, H, W] to [N, C, *size] by `torch.nn.functional.interpolate`; the dtype stays."""
    with without_autocast(x):
        return F.interpolate(x, size, mode=mode)


def downsample_average(x: Tensor, times: int = 1) -> Tensor:
    """Reduce [N, C, H, W] by 2**times, each pixel the mean of its square."""
    return F.avg_pool2d(x, 2**times) if times else x


def reduce_detail(image: Tensor, missing: int, alpha: float) -> Tensor:
    """Blur image [N, C, H, W] to the detail left `missing` halvings below its size, and return it at full size.

    alpha: weight of the finest detail that is left, 0 to 1, against what one more halving leaves.
    """
    small = downsample_average(image, missing)
    if alpha < 1:
        small = upsample_nearest(downsample_average(small)).lerp(small, alpha)
    return upsample_nearest(small, missing)
