"""Peak signal-to-noise ratio against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.lazy import Tensor
from ggdr.metrics.paired import Compare, PairedMetric
from ggdr.registry import metrics

if TYPE_CHECKING:
    from ggdr.metrics.data import EvalData

MOST_DB = 100.0
"""value of an image that is equal to its truth, decibels: without it, a mean would be infinite"""


@metrics.register("psnr", paper="1609.04802")
@dataclass(frozen=True, kw_only=True)
class PSNR(PairedMetric):
    """Peak signal-to-noise ratio of each image to its truth, decibels, higher is better (as in SRGAN, sec. 4.1).

    10 log10(255^2 / mean squared difference over pixels and channels), of each pair, then the mean; at most 100 dB.
    Blurred images score well: it asks for the mean of what could be, not for one that looks real.
    """

    better: ClassVar = "higher"

    def comparison(self, data: EvalData) -> Compare:
        return peak_ratio


def peak_ratio(a: Tensor, b: Tensor) -> Tensor:
    """Return PSNR [N], decibels, of images a and b [N, C, H, W] in [0, 255]."""
    error = (a.double() - b.double()).square().flatten(1).mean(dim=1)
    return (10 * (255**2 / error).log10()).clamp(max=MOST_DB)
