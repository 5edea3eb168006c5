"""Style reconstruction: the style that a fake was made under can be seen in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.augmented import AugmentedDuel
from ggdr.play.multimodal import MultimodalDuel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("style_reconstruction", paper="1804.04732")
@dataclass(frozen=True, kw_only=True)
class StyleReconstruction(Regularizer):
    """Mean absolute difference of the code a fake was made under from that found in it (Huang et al. 2018, eq. 3).

    Without it a generator may take no notice of the code, and make one image of each source.
    """

    weight: Scheduled = 1.0
    """factor of the mean; the paper's; 0.025 in Augmented CycleGAN (arXiv 1802.10151)"""
    requires: ClassVar = frozenset({Capability.FOUND_STYLE})

    def g_loss(self, duel: MultimodalDuel | AugmentedDuel) -> Tensor:  # type: ignore[override]
        return F.l1_loss(duel.found_style, duel.z)
