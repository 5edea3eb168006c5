"""Slicing adversarial network: settings of a discriminator whose last layer is a direction (Takida et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError
from ggdr.networks.wrappers import WrapperConfig
from ggdr.registry import Capability, discriminators, listed

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@discriminators.register("san", paper="2301.12811")
@dataclass(frozen=True, kw_only=True)
class SANDiscriminatorConfig(WrapperConfig):
    """Any discriminator with a linear last layer, whose weights become a direction of length 1 (Takida et al. 2024).

    The logit is the product of that direction and what the layer reads, and the adversarial loss, whichever it is, does
    not teach the direction: regularizer `san` does. With labels each class has its own direction. Wrappers such as
    `unet` go around it.
    """

    requires: ClassVar = frozenset({Capability.PYRAMID, Capability.LOGIT_FACTORS})
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.DIRECTION_LOGITS})
    hides: ClassVar = WrapperConfig.hides | {Capability.TOKENS}

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if no term teaches the direction."""
        super().check_recipe(recipe)
        if not any(Capability.DIRECTION_LOGITS in term.requires for term in recipe.regularizers.values()):
            raise UserError(
                f"discriminator {self.name!r} keeps the adversarial loss from its last layer's direction, and no term"
                " teaches that: add regularizers={'san': SAN()} to the recipe, or --regularizers.san san."
            )

    def check(self) -> None:
        """UserError if the encoder's last layer is not linear, or hidden by a wrapper."""
        super().check()
        if Capability.LOGIT_FACTORS not in self.encoder.provides:
            raise UserError(
                f"discriminator {self.encoder.name!r} provides {listed(self.encoder.provides)}, and {self.name!r} needs"
                " logit_factors, a last layer that is linear: take one such as 'stylegan2' or 'dcgan'; what wraps"
                f" another goes around it: --discriminator unet --discriminator.encoder {self.name}."
            )
