"""Latent consistency regularization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.errors import not_negative
from ggdr.lazy import Tensor, torch
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers


@regularizers.register("zcr", paper="2002.04724")
@dataclass(frozen=True, kw_only=True)
class ZCR(Regularizer):
    """Latent consistency regularization: of near codes, G's images differ, D's logits do not (Zhao et al. 2020).

    Beside the code, whatever else G draws (noise, mixed styles) is drawn again for the neighbour.
    """

    noise: float = 0.03
    """standard deviation of what is added to the code: sigma_noise"""
    d_weight: float = 5.0
    """lambda_dis, of the squared difference of logits"""
    g_weight: float = 0.5
    """lambda_gen, of the squared difference of images, mean over pixels, which G raises"""
    requires: ClassVar = frozenset({Capability.IMAGES})
    reads_logits: ClassVar = True

    def __post_init__(self) -> None:
        not_negative(self, "noise")

    def d_loss(self, duel: Duel) -> Tensor:
        other = duel.judge(self.neighbours(duel)).logits
        return self.d_weight * (duel.on_fake.logits - other).square().mean()

    def g_loss(self, duel: Duel) -> Tensor:
        return -self.g_weight * (duel.fake.image - self.neighbours(duel)).square().mean()

    def neighbours(self, duel: Duel) -> Tensor:
        """The images [N, C, H, W] of codes near the fakes'."""
        return duel.generate(duel.z + self.noise * torch.randn_like(duel.z)).image
