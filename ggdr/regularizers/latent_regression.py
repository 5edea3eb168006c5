"""Latent regression: an encoder finds the codes that a generator made images of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.inverted import RegressedDuel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers


@regularizers.register("latent_regression", paper="1702.01983")
@dataclass(frozen=True, kw_only=True)
class LatentRegression(Regularizer):
    """Mean squared difference of the code that an encoder finds in an image from the one that it was made of.

    Of images of a frozen generator, whose codes are known (Antipov et al. 2017: the initial approximation of z).
    """

    requires: ClassVar = frozenset({Capability.FOUND_STYLE})

    def e_loss(self, duel: RegressedDuel) -> Tensor:  # type: ignore[override]
        return F.mse_loss(duel.found_style, duel.z)
