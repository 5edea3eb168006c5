"""Precision and recall of generated images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.checks import above_zero
from ggdr.features.base import Extractor
from ggdr.features.vgg16 import VGG16
from ggdr.lazy import Tensor
from ggdr.metrics.base import FeatureMetric
from ggdr.registry import metrics


@metrics.register("precision_recall", paper="1904.06991")
@dataclass(frozen=True, kw_only=True)
class PrecisionRecall(FeatureMetric):
    """Shares of fakes that look real, and of reals that fakes look like, higher is better (Kynkäänniemi et al. 2019).

    A set's support is the union of balls that reach from each image to its k-th nearest neighbour (eq. 1 and 2).
    """

    extractor: Extractor = VGG16()
    """what turns images into features"""
    neighbours: int = 3
    """k"""
    least: ClassVar = 1000
    better: ClassVar = "higher"

    def __post_init__(self) -> None:
        above_zero(self, "neighbours")

    @property
    def fewest(self) -> int:
        return self.neighbours + 1

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        from ggdr.ops.neighbours import cover, radii

        real, fake = self.checked(real, fake)
        precision = cover(fake, real, radii(real, self.neighbours)) > 0
        recall = cover(real, fake, radii(fake, self.neighbours)) > 0
        return {"precision": float(precision.double().mean()), "recall": float(recall.double().mean())}
