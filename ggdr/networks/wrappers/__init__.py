"""Around another discriminator: the settings of what hands on whatever that one gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.errors import UserError
from ggdr.networks.base import DiscriminatorConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.registry import Capability

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class WrapperConfig(DiscriminatorConfig):
    """The settings of a discriminator around another; it gives what is its own and what its encoder gives."""

    encoder: DiscriminatorConfig = DCGANDiscriminatorConfig()
    """the discriminator that judges; one that gives its pyramid"""
    requires: ClassVar = frozenset({Capability.PYRAMID})
    provides: ClassVar = frozenset({Capability.PYRAMID})
    hides: ClassVar[frozenset[Capability]] = frozenset({Capability.LOGIT_FACTORS})
    """what it does not hand on, most of it because its encoder sees another image than it does"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "provides", self.around(self.encoder))

    @classmethod
    def around(cls, encoder: DiscriminatorConfig) -> frozenset[Capability]:
        """What it provides around an encoder: what it adds, and what the encoder provides but for what it hides."""
        return cls.provides | (encoder.provides - cls.hides)

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if the encoder means nothing beside the recipe's other parts."""
        self.encoder.check_recipe(recipe)

    @classmethod
    def tiny(cls) -> Self:
        """Around a tiny DCGAN discriminator."""
        return cls(encoder=DCGANDiscriminatorConfig.tiny())

    def described(self) -> Self:
        """Return these settings with those of its encoder."""
        return replace(self, encoder=self.encoder.described())

    def check(self) -> None:
        """UserError if the encoder gives no pyramid, which is promised in its name."""
        if Capability.PYRAMID not in self.encoder.provides:
            raise UserError(
                f"discriminator {self.encoder.name!r} provides no pyramid of its maps, which the encoder of"
                f" {self.name!r} must; take one that does, such as 'stylegan2' or 'dcgan'."
            )
