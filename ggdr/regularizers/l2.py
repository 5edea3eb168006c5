"""L2: what G makes lies near the truth of its pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.term import Regularizer
from ggdr.play.translation import PairedDuel
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("l2", paper="1609.04802")
@dataclass(frozen=True, kw_only=True)
class L2Distance(Regularizer):
    """Mean squared difference of each fake from its truth, pixels in [-1, 1] (Ledig et al. 2017, eq. 4); for pairs."""

    weight: Scheduled = 1.0
    """factor of the mean"""
    requires: ClassVar = frozenset({Capability.TRUTH})

    def g_loss(self, duel: PairedDuel) -> Tensor:  # type: ignore[override]
        return F.mse_loss(duel.fake.image, duel.truth)
