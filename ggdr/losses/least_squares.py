"""The quadratic loss of LSGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import Tensor
from ggdr.play.duel import Duel
from ggdr.play.term import Loss
from ggdr.registry import losses


@losses.register("least_squares", paper="1611.04076")
@dataclass(frozen=True, kw_only=True)
class LeastSquares(Loss):
    """Least-squares loss: logits of reals are drawn to 1, of fakes to 0 (Mao et al. 2017, eq. 9)."""

    undecided: ClassVar = 0.5

    def d_loss(self, duel: Duel) -> Tensor:
        return ((duel.on_real.logits - 1).square().mean() + duel.on_fake.logits.square().mean()) / 2

    def g_loss(self, duel: Duel) -> Tensor:
        return (duel.on_fake.logits - 1).square().mean() / 2
