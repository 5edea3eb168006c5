"""Feature matching of examples: what D sees in a fake is what it sees in the image that shows its class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("class_feature_matching", paper="1905.01723")
@dataclass(frozen=True, kw_only=True)
class ClassFeatureMatching(Regularizer):
    """Mean absolute difference of D's last maps of each fake and of the real that shows its class (FUNIT's L_F).

    Maps are means over all places, since the two images show other poses. `feature_matching` compares means over a
    batch, and `paired_feature_matching` place by place.
    """

    weight: Scheduled = 1.0
    """factor of the mean"""
    requires: ClassVar = frozenset({Capability.EXAMPLES, Capability.PYRAMID})

    def g_loss(self, duel: Duel) -> Tensor:
        real, fake = (said.maps[min(said.maps, default=0)].mean((2, 3)) for said in (duel.on_real, duel.on_fake))
        return F.l1_loss(fake, real.detach())
