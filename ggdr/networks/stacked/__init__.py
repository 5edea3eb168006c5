"""A stack of generators: settings of one that makes features of a label, and an image of the features (1612.04357)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.errors import above_zero
from ggdr.networks.base import GeneratorConfig
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.mlp import MLPGeneratorConfig
from ggdr.registry import Capability, generators

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@generators.register("stacked", paper="1612.04357")
@dataclass(frozen=True, kw_only=True)
class StackedGeneratorConfig(GeneratorConfig):
    """Two generators: features of an encoder from noise and a label, an image from noise and these (Huang et al. 2017).

    Game `stack` builds it around the recipe's generator and trains each on its own or both jointly.
    """

    image: GeneratorConfig = DCGANGeneratorConfig()
    """makes images; features are its labels, and any generator that takes labels can be it"""
    features: GeneratorConfig = MLPGeneratorConfig()
    """makes features, of labels if there are any"""
    width: int = 64
    """numbers of the features"""
    provides: ClassVar = frozenset()
    hands_on: ClassVar[frozenset[Capability]] = frozenset({Capability.G_FEATURES})
    """what it provides if the generator of images does"""

    def __post_init__(self) -> None:
        above_zero(self, "width")
        object.__setattr__(self, "provides", self.provides | (self.image.provides & self.hands_on))

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if one of both means nothing beside the recipe's other parts."""
        self.image.check_recipe(recipe)
        self.features.check_recipe(recipe)

    @classmethod
    def tiny(cls) -> Self:
        """Return the smallest stack worth testing: eight features between two tiny generators."""
        return cls(image=DCGANGeneratorConfig.tiny(), features=MLPGeneratorConfig.tiny(), width=8)

    def described(self) -> Self:
        """Return these settings with those of both generators as they are described."""
        return replace(self, image=self.image.described(), features=self.features.described())
