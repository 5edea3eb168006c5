"""The first GAN's value function."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.duel import Duel
from ggdr.lazy import F, Tensor
from ggdr.registry import losses
from ggdr.term import Loss


@losses.register("minimax", paper="1406.2661")
@dataclass(kw_only=True)
class Minimax(Loss):
    """Minimax (saturating) logistic loss: G lowers the very value that D raises (Goodfellow et al. 2014, eq. 1)."""

    def d_loss(self, duel: Duel) -> Tensor:
        return F.softplus(-duel.on_real.logits).mean() + F.softplus(duel.on_fake.logits).mean()

    def g_loss(self, duel: Duel) -> Tensor:
        return -F.softplus(duel.on_fake.logits).mean()
