"""The loss most GANs train with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.duel import Duel
from ggdr.play.term import Loss
from ggdr.registry import losses


@losses.register("non_saturating", paper="1406.2661")
@dataclass(frozen=True, kw_only=True)
class NonSaturating(Loss):
    """Non-saturating logistic loss: G raises the probability that D errs (Goodfellow et al. 2014, sec. 3)."""

    symmetric: ClassVar = True
    logistic: ClassVar = True

    def d_loss(self, duel: Duel) -> Tensor:
        return F.softplus(-duel.on_real.logits).mean() + F.softplus(duel.on_fake.logits).mean()

    def g_loss(self, duel: Duel) -> Tensor:
        return F.softplus(-duel.on_fake.logits).mean()
