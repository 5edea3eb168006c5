"""The decoder's adversarial loss of U-Net GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ggdr.lazy import F, Tensor
from ggdr.networks.base import DiscriminatorOutput
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers


@regularizers.register("per_pixel", paper="2002.12655")
@dataclass(frozen=True, kw_only=True)
class PerPixel(Regularizer):
    """Each pixel's own adversarial loss, for both players (Schönfeld et al. 2020, eq. 4 and 6).

    Unlike the paper: a mean over pixels where it writes a sum, so that it weighs as much as the image's own loss.
    """

    form: Literal["non_saturating", "hinge"] = "non_saturating"
    """the logistic loss of the equations, or the hinge loss, as BigGAN has it"""
    requires: ClassVar = frozenset({Capability.PIXEL_LOGITS})
    provides: ClassVar = frozenset({Capability.PIXEL_LOSS})

    def d_loss(self, duel: Duel) -> Tensor:
        real, fake = pixel_logits(duel.on_real), pixel_logits(duel.on_fake)
        if self.form == "hinge":
            return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def g_loss(self, duel: Duel) -> Tensor:
        fake = pixel_logits(duel.on_fake)
        return -fake.mean() if self.form == "hinge" else F.softplus(-fake).mean()


def pixel_logits(output: DiscriminatorOutput) -> Tensor:
    """The logits of its pixels [N, 1, H, W]; RuntimeError if it has none."""
    if output.pixel_logits is None:
        raise RuntimeError("this output of D has no logits of pixels: a term that reads them requires PIXEL_LOGITS.")
    return output.pixel_logits
