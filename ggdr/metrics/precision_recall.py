"""Precision and recall of generated images."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.lazy import Tensor
from ggdr.metrics.base import NeighbourMetric
from ggdr.registry import metrics


@metrics.register("precision_recall", paper="1904.06991")
@dataclass(frozen=True, kw_only=True)
class PrecisionRecall(NeighbourMetric):
    """Shares of fakes that look real, and of reals that fakes look like, higher is better (Kynkäänniemi et al. 2019).

    A set's support is the union of balls that reach from each image to its k-th nearest neighbour (eq. 1 and 2).
    """

    neighbours: int = 3
    """k, the neighbour that an image's ball reaches to"""

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Return `precision` and `recall` of the features real [N, D] and fake [M, D]."""
        from ggdr.ops.neighbours import count_covering_balls, neighbour_radii

        real, fake = self.check_features(real, fake)
        precision = count_covering_balls(fake, real, neighbour_radii(real, self.neighbours)) > 0
        recall = count_covering_balls(real, fake, neighbour_radii(fake, self.neighbours)) > 0
        return {"precision": float(precision.double().mean()), "recall": float(recall.double().mean())}
