"""Diversity: how much the answers to one image differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError
from ggdr.metrics.lpips import PerceptualDistance
from ggdr.registry import Capability, metrics

if TYPE_CHECKING:
    from ggdr.features.cache import FeatureCache
    from ggdr.metrics.data import EvalData


@metrics.register("diversity", paper="1711.11586")
@dataclass(frozen=True, kw_only=True)
class Diversity(PerceptualDistance):
    """LPIPS between two answers to the same image, under other draws, averaged over images (Zhu et al. 2017, sec. 5.1).

    For translators that draw, such as MUNIT's; 0 of others. The papers take several pairs of each of 100 images; this
    takes one pair of each image. Higher is more diverse, which is no merit by itself: noise is diverse.
    """

    better: ClassVar = "higher"
    requires: ClassVar = frozenset({Capability.OTHER_DRAWS})

    def partners(self, data: EvalData) -> FeatureCache:
        """Return what is made of the same inputs under other draws; UserError if there are no inputs."""
        if data.other_draws is None:
            raise UserError(
                f"{self.name} compares answers to the same image, and these images are no answers; measure a"
                " translator, such as one of --game multimodal, or leave it out."
            )
        return data.other_draws
