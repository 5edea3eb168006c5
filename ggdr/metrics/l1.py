"""Mean absolute difference from the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggdr.lazy import Tensor
from ggdr.metrics.paired import Compare, PairedMetric
from ggdr.registry import metrics

if TYPE_CHECKING:
    from ggdr.metrics.data import EvalData


@metrics.register("l1", paper="1611.07004")
@dataclass(frozen=True, kw_only=True)
class MeanAbsoluteError(PairedMetric):
    """Mean absolute difference of pixels, 0 to 1, from the truth of each pair, lower is better (pix2pix, eq. 3).

    Pixels are 0 (black) to 1 (white): twice as much is the loss of training, where they are -1 to 1.
    """

    def comparison(self, data: EvalData) -> Compare:
        return absolute_error


def absolute_error(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean of |a - b| / 255 [N] of images a and b [N, C, H, W] in [0, 255]."""
    return (a.double() - b.double()).abs().flatten(1).mean(dim=1) / 255
