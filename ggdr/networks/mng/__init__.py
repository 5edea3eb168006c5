"""MNG: settings of a discriminator that judges all that a generator's heads make, noised (arXiv 2509.24935)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.errors import UserError
from ggdr.networks.base import DiscriminatorConfig
from ggdr.networks.gat import GATDiscriminatorConfig
from ggdr.networks.wrappers import WrapperConfig
from ggdr.registry import Capability, discriminators

if TYPE_CHECKING:
    from ggdr.recipe import Recipe

LEVELS = (0.885, 0.76, 0.51, 0.01)
"""t_k = 1 - 0.125^(1 - (k - 1) / 3) + 0.01, as published"""


@discriminators.register("mng", paper="2509.24935")
@dataclass(frozen=True, kw_only=True)
class MNGDiscriminatorConfig(WrapperConfig):
    """Any discriminator, to which the images of all heads are shown at once, the earlier the noisier (GAT's MNG).

    (1 - t_k) x_k + n_k stand beside each other as channels, n_k of variance t_k^2, so that early heads are told about
    coarse shapes alone (multi-level noise-perturbed image guidance, Hyun et al. 2026). The noises are nested: each is
    that of the next level, scaled, and some more. Reals, and fakes of which there is one image, stand for each level.
    In evaluation there is no noise. Terms that differentiate with respect to fakes see the last image alone.
    """

    encoder: DiscriminatorConfig = GATDiscriminatorConfig()
    """the discriminator that judges; one that gives its pyramid"""
    levels: tuple[float, ...] = LEVELS
    """standard deviation of each head's noise, and the share of its image that goes, from 0 to 1, falling; from the
    first head to the last"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.INTERMEDIATES})
    hides: ClassVar = WrapperConfig.hides | {Capability.ENCODE, Capability.RECONSTRUCTION, Capability.SCALES}

    def __post_init__(self) -> None:
        super().__post_init__()
        falling = all(a >= b for a, b in zip(self.levels, self.levels[1:], strict=False))
        if not self.levels or not falling or not 0 <= self.levels[-1] <= self.levels[0] < 1:
            raise UserError(f"levels are {self.levels}; give numbers from 0 to below 1 that fall, such as {LEVELS}.")

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if the generator has another number of heads."""
        super().check_recipe(recipe)
        made = recipe.generator.outputs
        if made not in (1, len(self.levels)):
            raise UserError(
                f"discriminator {self.name!r} has {len(self.levels)} levels of noise, and generator"
                f" {recipe.generator.name!r} makes {made} images: give as many levels, from the noisiest on."
            )

    @classmethod
    def tiny(cls) -> Self:
        """Two levels, around a tiny transformer."""
        return cls(encoder=GATDiscriminatorConfig.tiny(), levels=(0.5, 0.01))
