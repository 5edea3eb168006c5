"""Total variation: neighbouring pixels of fakes are alike."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.errors import above_zero
from ggdr.lazy import Tensor
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import regularizers
from ggdr.schedules.base import Scheduled

LEAST = 1e-8
"""squared differences are raised to this: the gradient of a root has no limit at 0"""


@regularizers.register("total_variation", paper="1412.0035")
@dataclass(frozen=True, kw_only=True)
class TotalVariation(Regularizer):
    """Total variation of fakes: how much neighbouring pixels differ (Mahendran and Vedaldi 2015, sec. 2)."""

    weight: Scheduled = 0.1
    """factor of the mean over all pixels, whose values are in [-1, 1]"""
    beta: float = 2.0
    """exponent of the length of the differences: 1 keeps edges sharp, 2 rounds them off"""

    def __post_init__(self) -> None:
        above_zero(self, "beta")

    def g_loss(self, duel: Duel) -> Tensor:
        return total_variation(duel.fake.image, self.beta)


def total_variation(images: Tensor, beta: float) -> Tensor:
    """Return the mean over pixels of the length of the differences to those below and to the right, to the `beta`."""
    corner = images[:, :, :-1, :-1]
    down, right = images[:, :, 1:, :-1] - corner, images[:, :, :-1, 1:] - corner
    return (down.square() + right.square()).clamp(min=LEAST).pow(beta / 2).mean()
