"""The relativistic average loss of RaGAN, in the forms RaSGAN, RaLSGAN and RaHingeGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ggdr.lazy import F, Tensor
from ggdr.play.duel import Duel
from ggdr.play.term import Loss
from ggdr.registry import losses


@losses.register("relativistic_average", paper="1807.00734")
@dataclass(frozen=True, kw_only=True)
class RelativisticAverage(Loss):
    """Relativistic average loss: an image against the mean logit of the other kind (Jolicoeur-Martineau 2018, sec. 4).

    The mean is the micro-batch's.
    """

    form: Literal["logistic", "least_squares", "hinge"] = "logistic"
    """the loss that is made relative: RaSGAN, RaLSGAN or RaHingeGAN"""
    undecided: ClassVar = None
    symmetric: ClassVar = True

    def d_loss(self, duel: Duel) -> Tensor:
        real, fake = margins(duel)
        return self.cost(real) + self.cost(-fake)

    def g_loss(self, duel: Duel) -> Tensor:
        real, fake = margins(duel)
        return self.cost(-real) + self.cost(fake)

    def cost(self, margin: Tensor) -> Tensor:
        """Mean cost of margins [N] that are to be large: above one for "hinge", one for "least_squares"."""
        if self.form == "hinge":
            return F.relu(1 - margin).mean()
        if self.form == "least_squares":
            return (margin - 1).square().mean()
        return F.softplus(-margin).mean()


def margins(duel: Duel) -> tuple[Tensor, Tensor]:
    """Return how much each real exceeds the mean fake, and each fake the mean real: the logits' shape, both."""
    real, fake = duel.on_real.logits, duel.on_fake.logits
    return real - fake.mean(0, keepdim=True), fake - real.mean(0, keepdim=True)
