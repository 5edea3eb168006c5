"""The relativistic pairing loss of RSGAN and R3GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.duel import Duel
from ggdr.play.term import Loss
from ggdr.registry import losses


@losses.register("relativistic", paper="1807.00734")
@dataclass(frozen=True, kw_only=True)
class Relativistic(Loss):
    """Relativistic pairing loss: what counts is how much more real the real looks (Jolicoeur-Martineau 2018)."""

    undecided: ClassVar = None
    symmetric: ClassVar = True

    def d_loss(self, duel: Duel) -> Tensor:
        return F.softplus(duel.on_fake.logits - duel.on_real.logits).mean()

    def g_loss(self, duel: Duel) -> Tensor:
        return F.softplus(duel.on_real.logits - duel.on_fake.logits).mean()
