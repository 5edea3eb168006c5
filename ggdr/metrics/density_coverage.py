"""Density and coverage of generated images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.checks import above_zero
from ggdr.features.base import Extractor
from ggdr.features.vgg16 import VGG16
from ggdr.lazy import Tensor
from ggdr.metrics.base import FeatureMetric
from ggdr.registry import metrics


@metrics.register("density_coverage", paper="2002.09797")
@dataclass(frozen=True, kw_only=True)
class DensityCoverage(FeatureMetric):
    """How densely reals surround fakes, and how many reals have a fake near; higher is better (Naeem et al. 2020).

    `density`: neighbourhoods of reals that a fake lies in, over k (eq. 4), which may exceed 1; `coverage`: share of
    reals whose neighbourhood holds a fake (eq. 5). Sturdier against outliers than precision and recall.
    """

    extractor: Extractor = VGG16()
    """what turns images into features"""
    neighbours: int = 5
    """k"""
    least: ClassVar = 1000
    better: ClassVar = "higher"

    def __post_init__(self) -> None:
        above_zero(self, "neighbours")

    @property
    def fewest(self) -> int:
        return self.neighbours + 1

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        from ggdr.ops.neighbours import cover, nearest, radii

        real, fake = self.checked(real, fake)
        radius = radii(real, self.neighbours)
        density = cover(fake, real, radius).double().mean() / self.neighbours
        # Unlike the authors' code: balls are closed, as in precision and recall, so that copies are in them.
        coverage = nearest(real, fake, 1)[0][:, 0] <= radius
        return {"density": float(density), "coverage": float(coverage.double().mean())}
