"""Classification: the encoder tells the classes of images that have labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.decoded import ClassifiedDuel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers


@regularizers.register("classification", paper="1511.05644")
@dataclass(frozen=True, kw_only=True)
class Classification(Regularizer):
    """Cross entropy of the classes that the encoder tells of labelled images (Makhzani et al. 2015, sec. 5).

    Unlike the paper: it is a summand on the turn of reconstruction, not an update apart.
    """

    requires: ClassVar = frozenset({Capability.CLASSIFIED})

    def e_loss(self, duel: ClassifiedDuel) -> Tensor:  # type: ignore[override]
        assert duel.labels is not None
        return F.cross_entropy(duel.class_logits, duel.labels)
