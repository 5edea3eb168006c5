"""Copies of training images among the generated ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.features.base import Extractor
from ggdr.features.dinov2 import DINOv2
from ggdr.lazy import Tensor
from ggdr.metrics.base import FeatureMetric, Numbers
from ggdr.registry import metrics

if TYPE_CHECKING:
    from ggdr.metrics.data import EvalData

ALL = 10_000_000
"""more images than any training set has"""


@metrics.register("memorization", paper="2102.08921")
@dataclass(frozen=True, kw_only=True)
class Memorization(FeatureMetric):
    """Share of fakes that are nearer to a real image than any other real one is: 1 - authenticity (Alaa et al. 2022).

    `copied` is of the fakes, each against the real nearest to it; `reals` is what fresh real images would have: half
    of the reals held against the other. Well above `reals` is memorization; far below, fakes resemble no real image.
    All reals are looked at, unless `reals` says otherwise.
    """

    extractor: Extractor = DINOv2()
    """feature extractor that turns images into features"""
    reliable_images: ClassVar = 1000
    baselines: ClassVar = frozenset({"reals"})
    remark: ClassVar = (
        "Copies of training images: {copied:.1%} of the generated images are nearer to a real image than any other real"
        " one is; of fresh real images {reals:.1%} would be. Well above that is memorization."
    )

    def numbers(self, data: EvalData) -> Numbers:
        return super().numbers(data)._replace(real=data.real.size(self.reals or ALL))

    @property
    def min_images(self) -> int:
        return 4

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        real, fake = self.check_features(real, fake)
        half = len(real) // 2
        return {"copied": copied_share(real, fake), "reals": copied_share(real[:half], real[half:])}


def copied_share(real: Tensor, fake: Tensor) -> float:
    """Return the share of fake [M, D] that are as near to a row of real [N, D] as its nearest other real row."""
    from ggdr.ops.neighbours import nearest_neighbours, neighbour_radii

    distances, places = nearest_neighbours(fake, real, 1)
    return float((distances[:, 0] <= neighbour_radii(real, 1)[places[:, 0]]).double().mean())
