"""Settings of a discriminator that is told how many steps of diffusion its image took (arXiv 2206.02262)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError, above_zero
from ggdr.networks.wrappers import WrapperConfig
from ggdr.registry import Capability, discriminators

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@discriminators.register("timestep", paper="2206.02262")
@dataclass(frozen=True, kw_only=True)
class TimestepDiscriminatorConfig(WrapperConfig):
    """Any discriminator, to which the number of diffusion steps an image took is a further label (Wang et al. 2023).

    Sine and cosine of the number, at frequencies from 1 down to 1/10,000 (Vaswani et al. 2017, arXiv 1706.03762, sec.
    3.5), stand beside the label vector, and the encoder takes them as it takes labels: by projection, or by its mapping
    network. It goes with augmentation `diffusion`; an image of which no number is told is a clean one.
    """

    frequencies: int = 8
    """pairs of sine and cosine"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.TIMESTEP})

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "frequencies")

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if nothing tells it the number of steps."""
        super().check_recipe(recipe)
        if Capability.TIMESTEP not in recipe.augment.provides:
            raise UserError(
                f"discriminator {self.name!r} is to be told the steps of a diffusion, which augmentation"
                f" {recipe.augment.name!r} does not take: add --augment diffusion."
            )
        if Capability.TIMESTEP not in recipe.discriminator.provides:
            raise UserError(
                f"discriminator {recipe.discriminator.name!r} shows its encoder {self.name!r} no labels, and the steps"
                f" of a diffusion come with them: put it outside, --discriminator {self.name}"
                f" --discriminator.encoder {recipe.discriminator.name}."
            )
