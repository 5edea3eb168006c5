"""Content reconstruction: a fake still holds what its source holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.multimodal import MultimodalDuel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("content_reconstruction", paper="1804.04732")
@dataclass(frozen=True, kw_only=True)
class ContentReconstruction(Regularizer):
    """Mean absolute difference of a source's content from that found in its fake (Huang et al. 2018, eq. 2)."""

    weight: Scheduled = 1.0
    """factor of the mean; the paper's"""
    requires: ClassVar = frozenset({Capability.FOUND_CONTENT})

    def g_loss(self, duel: MultimodalDuel) -> Tensor:  # type: ignore[override]
        return F.l1_loss(duel.found_content, duel.content)
