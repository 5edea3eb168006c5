"""The pulling-away term of EBGAN-PT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers


@regularizers.register("pulling_away", paper="1609.03126")
@dataclass(frozen=True, kw_only=True)
class PullingAway(Regularizer):
    """Pulling-away term: what D's encoder makes of two fakes points in different ways (Zhao et al. 2017, sec. 2.4)."""

    weight: float = 0.1
    """factor of the mean squared cosine"""
    requires: ClassVar = frozenset({Capability.PYRAMID})
    least: ClassVar = 2

    def g_loss(self, duel: Duel) -> Tensor:
        maps = duel.on_fake.maps
        codes = F.normalize(maps[min(maps, default=0)].flatten(1), dim=1)
        n = len(codes)
        cosines = codes @ codes.T
        pairs = cosines.square().sum() - cosines.diagonal().square().sum()
        return pairs / max(n * (n - 1), 1)
