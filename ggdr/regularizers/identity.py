"""Identity: what is of a generator's domain already stays as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.term import Regularizer
from ggdr.play.translation import CycleDuel
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("identity", paper="1703.10593")
@dataclass(frozen=True, kw_only=True)
class Identity(Regularizer):
    """Mean absolute difference of each real from what G makes of it (Zhu et al. 2017, sec. 5.2): colours stay.

    In game `shared_encoder` G makes it of the real's code, which NICE-GAN calls reconstruction (Chen et al. 2020,
    eq. 5); in `multimodal`, of the content and the style it has: MUNIT's reconstruction (Huang et al. 2018, eq. 1).
    """

    weight: Scheduled = 5.0
    """factor of the mean: half of the cycle's in CycleGAN, as much as the cycle's in NICE-GAN, 10 in MUNIT"""
    requires: ClassVar = frozenset({Capability.IDENTITY})

    def g_loss(self, duel: CycleDuel) -> Tensor:  # type: ignore[override]
        return F.l1_loss(duel.on_target.image, duel.reals)
