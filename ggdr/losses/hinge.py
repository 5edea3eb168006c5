"""The hinge loss of SAGAN and BigGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.duel import Duel
from ggdr.play.term import Loss
from ggdr.registry import losses


@losses.register("hinge", paper="1705.02894")
@dataclass(frozen=True, kw_only=True)
class Hinge(Loss):
    """Hinge loss: D cares only for logits inside its margin of one (Lim & Ye 2017)."""

    symmetric: ClassVar = True

    def d_loss(self, duel: Duel) -> Tensor:
        return F.relu(1 - duel.on_real.logits).mean() + F.relu(1 + duel.on_fake.logits).mean()

    def g_loss(self, duel: Duel) -> Tensor:
        return -duel.on_fake.logits.mean()
