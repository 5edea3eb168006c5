"""The conditional loss of SGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.stack import LevelDuel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers


@regularizers.register("conditional", paper="1612.04357")
@dataclass(frozen=True, kw_only=True)
class Conditional(Regularizer):
    """A frozen encoder finds in a fake what it was made under (Huang et al. 2017, eq. 4): features, or its class.

    The mean squared difference of features, the cross entropy of classes, in each duel of a stack of generators.
    """

    requires: ClassVar = frozenset({Capability.CONDITION})

    def g_loss(self, duel: LevelDuel) -> Tensor:  # type: ignore[override]
        distance = F.cross_entropy if duel.finds_classes else F.mse_loss
        return distance(duel.found, duel.condition.float())
