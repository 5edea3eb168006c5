"""Density and coverage of generated images."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.lazy import Tensor
from ggdr.metrics.base import NeighbourMetric
from ggdr.registry import metrics


@metrics.register("density_coverage", paper="2002.09797")
@dataclass(frozen=True, kw_only=True)
class DensityCoverage(NeighbourMetric):
    """How densely reals surround fakes, and how many reals have a fake near; higher is better (Naeem et al. 2020).

    `density`: neighbourhoods of reals that a fake lies in, over k (eq. 4), which may exceed 1; `coverage`: share of
    reals whose neighbourhood holds a fake (eq. 5). Sturdier against outliers than precision and recall.
    """

    neighbours: int = 5
    """k, the neighbour that an image's ball reaches to"""

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Return `density` and `coverage` of the features real [N, D] and fake [M, D]."""
        from ggdr.ops.neighbours import count_covering_balls, nearest_neighbours, neighbour_radii

        real, fake = self.check_features(real, fake)
        radius = neighbour_radii(real, self.neighbours)
        density = count_covering_balls(fake, real, radius).double().mean() / self.neighbours
        # Unlike the authors' code: balls are closed, as in precision and recall, so that copies are in them.
        coverage = nearest_neighbours(real, fake, 1)[0][:, 0] <= radius
        return {"density": float(density), "coverage": float(coverage.double().mean())}
