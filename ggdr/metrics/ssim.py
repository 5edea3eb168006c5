"""Structural similarity to the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.lazy import Tensor
from ggdr.metrics.ms_ssim import ssim
from ggdr.metrics.paired import Compare, PairedMetric
from ggdr.registry import metrics

if TYPE_CHECKING:
    from ggdr.metrics.data import EvalData


@metrics.register("ssim", paper="10.1109/TIP.2003.819861")
@dataclass(frozen=True, kw_only=True)
class SSIM(PairedMetric):
    """Structural similarity of each image to its truth, 1 if they are equal, higher is better (Wang et al. 2004).

    Eq. 13 in Gaussian windows of 11 pixels (sigma 1.5) that fit whole, K1 0.01, K2 0.03; the mean over windows and
    channels.
    """

    better: ClassVar = "higher"

    def comparison(self, data: EvalData) -> Compare:
        return structural_similarity


def structural_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Return SSIM [N] of images a and b [N, C, H, W] in [0, 255]."""
    return ssim(a.double(), b.double())[0].mean(dim=1)
