"""The loss of EBGAN; its pulling-away term is the regularizer `pulling_away`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.errors import above_zero
from ggdr.lazy import F, Tensor
from ggdr.play.duel import Duel
from ggdr.play.term import Loss
from ggdr.registry import Capability, losses


@losses.register("ebgan", paper="1609.03126")
@dataclass(frozen=True, kw_only=True)
class EBGAN(Loss):
    """Energy-based hinge loss: reals have low energy, fakes at least the margin (Zhao et al. 2017, eq. 1 and 2).

    Minus the logit is the energy, as the discriminator `autoencoder` has it.
    """

    margin: float = 1.0
    """m, an energy; the paper tunes it by data set: of images in [-1, 1] a mean squared error is seldom above 1"""
    requires: ClassVar = frozenset({Capability.ENERGY})
    undecided: ClassVar = None

    def __post_init__(self) -> None:
        above_zero(self, "margin")

    def d_loss(self, duel: Duel) -> Tensor:
        return F.relu(self.margin + duel.on_fake.logits).mean() - duel.on_real.logits.mean()

    def g_loss(self, duel: Duel) -> Tensor:
        return -duel.on_fake.logits.mean()
