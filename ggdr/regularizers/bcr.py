"""Balanced consistency regularization, on reals and on fakes."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.lazy import Tensor
from ggdr.play.duel import Duel
from ggdr.registry import regularizers
from ggdr.regularizers.cr import CR


@regularizers.register("bcr", paper="2002.04724")
@dataclass(frozen=True, kw_only=True)
class BCR(CR):
    """Balanced consistency regularization: D says the same of moved reals and of moved fakes (Zhao et al. 2020).

    On reals alone, G would learn to make flipped and shifted images. With `zcr` it is their ICR.
    """

    weight: float = 1.0
    """factor of both parts"""
    real_weight: float = 10.0
    """lambda_real"""
    fake_weight: float = 10.0
    """lambda_fake"""

    def d_loss(self, duel: Duel) -> Tensor:
        real = self.inconsistency(duel, duel.real, duel.on_real.logits)
        fake = self.inconsistency(duel, duel.fake.image, duel.on_fake.logits)
        return self.real_weight * real + self.fake_weight * fake
