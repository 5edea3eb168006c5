"""A mixture of Gaussians, the petals of a flower."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ggdr.errors import UserError, above_zero, not_negative, setting
from ggdr.lazy import Tensor, torch
from ggdr.priors.base import Prior
from ggdr.registry import priors


@priors.register("mixture", paper="1511.05644")
@dataclass(frozen=True, kw_only=True)
class Mixture(Prior):
    """Gaussians in the plane about a circle, ten of them, long ones that point outwards (Makhzani et al. 2015, fig. 4).

    Labels, one-hot, choose among the components, where the game lets them: a component for each class.
    """

    components: int = 10
    """number of Gaussians"""
    radius: float = 2.0
    """distance of their means from the origin"""
    along: float = 0.5
    """standard deviation outwards"""
    across: float = 0.15
    """standard deviation along the circle"""

    def __post_init__(self) -> None:
        above_zero(self, "components", "along", "across")
        not_negative(self, "radius")

    def check(self, width: int, labels: int = 0) -> None:
        """UserError if codes are not of two numbers, or classes that choose components are not as many."""
        self.check_plane(width)
        if labels not in (0, self.components):
            raise UserError(
                f"prior {self.name!r} has {self.components} components, and labels that choose among them have"
                f" {labels} classes: set {setting('game.prior.components')} to {labels}."
            )

    def codes(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return codes [N, 2] of noise [N, 2] ~ N(0, 1): the label [N, components] chooses the component, or chance."""
        first, second = noise.double().unbind(dim=1)
        if labels is None:  # which component is drawn, and where in it, both by the first number
            place = torch.special.ndtr(first) * self.components
            component = place.floor().clamp(max=self.components - 1)
            first = torch.special.ndtri((place - component).clamp(1e-9, 1 - 1e-9))
        else:
            component = labels.argmax(dim=1).double()
        angle = component * (2 * math.pi / self.components)
        outwards, aside = torch.stack([angle.cos(), angle.sin()], 1), torch.stack([-angle.sin(), angle.cos()], 1)
        codes = (self.radius + self.along * first)[:, None] * outwards + (self.across * second)[:, None] * aside
        return codes.to(noise.dtype)
