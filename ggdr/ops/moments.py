"""Means and standard deviations of feature maps, which make their style (AdaIN, arXiv 1703.06868)."""

from __future__ import annotations

from ggdr.lazy import Tensor, torch


def restyled(x: Tensor, style: Tensor) -> Tensor:
    """x [N, K, h, w] with each channel's mean and standard deviation those of style [N, K, h', w'] (AdaIN, eq. 8)."""
    (mean, deviation), (wanted_mean, wanted_deviation) = moments(x), moments(style)
    return (x - mean) / deviation * wanted_deviation + wanted_mean


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Each channel's mean and standard deviation over x [N, K, h, w], in float32 on the way: both [N, K, 1, 1]."""
    variance, mean = torch.var_mean(x.float(), dim=(2, 3), correction=0, keepdim=True)
    return mean.to(x.dtype), (variance + 1e-5).sqrt().to(x.dtype)
