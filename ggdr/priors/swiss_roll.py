"""The swiss roll: a spiral in the plane."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ggdr.errors import above_zero, not_negative
from ggdr.lazy import Tensor, torch
from ggdr.priors.base import Prior
from ggdr.registry import priors


@priors.register("swiss_roll", paper="1511.05644")
@dataclass(frozen=True, kw_only=True)
class SwissRoll(Prior):
    """A spiral in the plane, as dense at its rim as at its heart (Makhzani et al. 2015, fig. 4).

    Labels, one-hot, choose among sections of it, where the game lets them: the first class lies at the heart.
    """

    turns: float = 2.0
    """times that it goes round"""
    radius: float = 3.0
    """distance of its end from the origin"""
    thickness: float = 0.0
    """standard deviation across the spiral; 0: a line"""

    def __post_init__(self) -> None:
        above_zero(self, "turns", "radius")
        not_negative(self, "thickness")

    def check(self, width: int, labels: int = 0) -> None:
        """UserError if codes are not of two numbers."""
        self.check_plane(width)

    def codes(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        first, second = noise.double().unbind(dim=1)
        place = torch.special.ndtr(first)
        if labels is not None:
            place = (labels.argmax(dim=1) + place) / labels.shape[1]
        way = place.sqrt()  # a turn's length grows with its radius
        distance, angle = self.radius * way + self.thickness * second, 2 * math.pi * self.turns * way
        return torch.stack([distance * angle.cos(), distance * angle.sin()], dim=1).to(noise.dtype)
