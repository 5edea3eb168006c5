"""L1: what G makes lies near the truth of its pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.term import Regularizer
from ggdr.play.translation import PairedDuel
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("l1", paper="1611.07004")
@dataclass(frozen=True, kw_only=True)
class L1Distance(Regularizer):
    """Mean absolute difference of each fake from its truth, pixels in [-1, 1] (Isola et al. 2017, eq. 3); for pairs."""

    weight: Scheduled = 100.0
    """factor of the mean; the paper's, beside a loss that is not halved"""
    requires: ClassVar = frozenset({Capability.TRUTH})

    def g_loss(self, duel: PairedDuel) -> Tensor:  # type: ignore[override]
        return F.l1_loss(duel.fake.image, duel.truth)
