"""Consistency regularization, on reals alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.errors import not_negative
from ggdr.lazy import Tensor
from ggdr.ops.shift import random_flip_and_shift
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers


@regularizers.register("cr", paper="1910.12027")
@dataclass(frozen=True, kw_only=True)
class CR(Regularizer):
    """Consistency regularization: D says the same of a real that is flipped and shifted (Zhang et al. 2020).

    Beside an augmentation of the recipe, which each pass draws again, it asks D to overlook that as well.
    """

    weight: float = 10.0
    """lambda"""
    flip: bool = True
    """mirror every other image, left to right; not for images that have a side, such as digits"""
    shift: int = 4
    """farthest shift along each axis, pixels"""
    requires: ClassVar = frozenset({Capability.IMAGES})
    reads_logits: ClassVar = True

    def __post_init__(self) -> None:
        not_negative(self, "shift")

    def d_loss(self, duel: Duel) -> Tensor:
        return self.inconsistency(duel, duel.real, duel.on_real.logits)

    def inconsistency(self, duel: Duel, image: Tensor, logits: Tensor) -> Tensor:
        """Mean squared change of the logits of image [N, C, H, W] when it is flipped and shifted."""
        other = duel.judge(random_flip_and_shift(image, self.flip, self.shift)).logits
        return (logits - other).square().mean()
