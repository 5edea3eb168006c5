"""Feature matching of pairs: what D sees in a fake is what it sees in its truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor, torch
from ggdr.networks.base import DiscriminatorOutput
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("paired_feature_matching", paper="1711.11585")
@dataclass(frozen=True, kw_only=True)
class PairedFeatureMatching(Regularizer):
    """Mean absolute differences of D's maps of each fake from those of its truth (Wang et al. 2018, eq. 4); for pairs.

    They are summed over D's layers, and over its scales where it judges at several (eq. 5). `feature_matching` compares
    means over a batch, and needs no pairs.
    """

    weight: Scheduled = 10.0
    """factor of the sum over layers and scales"""
    requires: ClassVar = frozenset({Capability.TRUTH, Capability.PYRAMID})

    def g_loss(self, duel: Duel) -> Tensor:
        pairs = zip(layers(duel.on_fake), layers(duel.on_real), strict=True)
        return torch.stack([F.l1_loss(fake, real) for fake, real in pairs]).sum()


def layers(said: DiscriminatorOutput) -> list[Tensor]:
    """Return the maps of all layers of D, of all scales."""
    return [maps for scale in said.layer_maps or (said.maps.values(),) for maps in scale]
