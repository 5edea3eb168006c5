"""Content: the decoded image has the maps that it was decoded from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.stylised import StylisedDuel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers


@regularizers.register("content", paper="1703.06868")
@dataclass(frozen=True, kw_only=True)
class Content(Regularizer):
    """Mean squared difference of the encoder's last maps of a fake from the ones it was decoded from (eq. 12)."""

    requires: ClassVar = frozenset({Capability.STYLISED})

    def g_loss(self, duel: StylisedDuel) -> Tensor:  # type: ignore[override]
        return F.mse_loss(duel.found_content, duel.wanted_content)
