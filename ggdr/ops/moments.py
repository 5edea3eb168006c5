"""Means and standard deviations of feature maps, which are their style in AdaIN (arXiv 1703.06868)."""

from __future__ import annotations

from ggdr.lazy import Tensor, torch
from ggdr.ops.precision import at_least_float32_dtype, without_autocast


def adain(x: Tensor, style: Tensor) -> Tensor:
    """Give each channel of x [N, K, h, w] the mean and standard deviation of style [N, K, h', w'] (AdaIN, eq. 8)."""
    (mean, deviation), (wanted_mean, wanted_deviation) = moments(x), moments(style)
    return (x - mean) / deviation * wanted_deviation + wanted_mean


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return each channel's mean and standard deviation over x [N, K, h, w], computed in float32: both [N, K, 1, 1]."""
    variance, mean = torch.var_mean(x.float(), dim=(2, 3), correction=0, keepdim=True)
    return mean.to(x.dtype), (variance + 1e-5).sqrt().to(x.dtype)


def centre(x: Tensor, dims: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Return x minus its mean over `dims` (in x's dtype), the rounding error of that mean, and the variance over
    `dims`.

    The first has x's dtype, so that no map becomes float32; the other two are float32, with `dims` of size 1.
    """
    dtype = at_least_float32_dtype(x)
    with without_autocast(x):
        # sums, since the gradient of a mean comes in the other order in memory
        total = x.sum(dim=dims, keepdim=True, dtype=dtype)
        count = x.numel() // total.numel()
        mean = total / count
        known = mean.to(x.dtype)
        less, left = x - known, mean - known
        square = less.square().sum(dim=dims, keepdim=True, dtype=dtype) / count
        return less, left, (square - left.square()).clamp(min=0)
