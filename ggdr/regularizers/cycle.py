"""Cycle consistency: there and back again is where it began."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.term import Regularizer
from ggdr.play.translation import CycleDuel
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("cycle", paper="1703.10593")
@dataclass(frozen=True, kw_only=True)
class CycleConsistency(Regularizer):
    """Mean absolute difference of each source from itself, translated there and back (Zhu et al. 2017, eq. 2)."""

    weight: Scheduled = 10.0
    """factor of the mean; the paper's, beside squares that are not halved: 5 beside `least_squares`, which halves"""
    requires: ClassVar = frozenset({Capability.CYCLE})

    def g_loss(self, duel: CycleDuel) -> Tensor:  # type: ignore[override]
        return F.l1_loss(duel.cycled, duel.source)
