"""Means and standard deviations of feature maps, which make their style (AdaIN, arXiv 1703.06868)."""

from __future__ import annotations

from ggdr.lazy import Tensor, torch
from ggdr.ops.precision import float32_or_more, without_autocast


def restyled(x: Tensor, style: Tensor) -> Tensor:
    """x [N, K, h, w] with each channel's mean and standard deviation those of style [N, K, h', w'] (AdaIN, eq. 8)."""
    (mean, deviation), (wanted_mean, wanted_deviation) = moments(x), moments(style)
    return (x - mean) / deviation * wanted_deviation + wanted_mean


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Each channel's mean and standard deviation over x [N, K, h, w], in float32 on the way: both [N, K, 1, 1]."""
    variance, mean = torch.var_mean(x.float(), dim=(2, 3), correction=0, keepdim=True)
    return mean.to(x.dtype), (variance + 1e-5).sqrt().to(x.dtype)


def centred(x: Tensor, dims: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """x less its mean over `dims`, as good as its type has it; what is left of the mean; and the variance over `dims`.

    The first is of x's type, so that no map is float32 that was not; the other two are float32, `dims` kept at 1.
    """
    dtype = float32_or_more(x)
    with without_autocast(x):
        # sums, since the gradient of a mean comes in the other order in memory
        total = x.sum(dim=dims, keepdim=True, dtype=dtype)
        count = x.numel() // total.numel()
        mean = total / count
        known = mean.to(x.dtype)
        less, left = x - known, mean - known
        square = less.square().sum(dim=dims, keepdim=True, dtype=dtype) / count
        return less, left, (square - left.square()).clamp(min=0)
