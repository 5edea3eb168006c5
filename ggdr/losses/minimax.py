"""The first GAN's value function."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.lazy import F, Tensor
from ggdr.losses.non_saturating import NonSaturating
from ggdr.play.duel import Duel
from ggdr.registry import losses


@losses.register("minimax", paper="1406.2661")
@dataclass(frozen=True, kw_only=True)
class Minimax(NonSaturating):
    """Minimax (saturating) logistic loss: G lowers the very value that D raises (Goodfellow et al. 2014, eq. 1)."""

    def g_loss(self, duel: Duel) -> Tensor:
        return -F.softplus(duel.on_fake.logits).mean()
