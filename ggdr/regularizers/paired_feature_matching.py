"""Feature matching of pairs: what D sees in a fake is what it sees in its truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor, torch
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("paired_feature_matching", paper="1711.11585")
@dataclass(frozen=True, kw_only=True)
class PairedFeatureMatching(Regularizer):
    """Mean absolute difference of D's maps of each fake from those of its truth (Wang et al. 2018, eq. 4); for pairs.

    `feature_matching` compares means over a batch, and needs no pairs. Maps of all resolutions count alike; of a D of
    several scales they are the first scale's.
    """

    weight: Scheduled = 10.0
    """factor of the mean over resolutions"""
    requires: ClassVar = frozenset({Capability.TRUTH, Capability.PYRAMID})

    def g_loss(self, duel: Duel) -> Tensor:
        real, fake = duel.on_real.maps, duel.on_fake.maps
        return torch.stack([F.l1_loss(fake[resolution], real[resolution]) for resolution in real]).mean()
