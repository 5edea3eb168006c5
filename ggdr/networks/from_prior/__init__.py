"""Generators of codes that have a prior: settings (Chen et al. 2016, 1606.03657; Makhzani et al. 2015, 1511.05644)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from ggdr.networks.base import GeneratorConfig
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.priors.base import Prior
from ggdr.priors.structured import Structured
from ggdr.registry import Capability, generators

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@generators.register("from_prior", paper="1606.03657")
@dataclass(frozen=True, kw_only=True)
class FromPriorGeneratorConfig(GeneratorConfig):
    """Any generator, whose codes are drawn from a prior of your choice: noise becomes a code, and that an image.

    As InfoGAN's codes of categories and uniform numbers (Chen et al. 2016, sec. 4), for regularizer
    `mutual_information`. Style codes of the generator within are its own affair: what reads these passes it over.
    """

    generator: GeneratorConfig = DCGANGeneratorConfig()
    """what makes images of codes"""
    prior: Prior = Structured()
    """what codes are drawn from"""
    labels: Literal["generator", "prior"] = "generator"
    """what labels choose: what the generator makes of a code, or where in the prior codes lie"""
    provides: ClassVar = frozenset({Capability.PRIOR})

    def __post_init__(self) -> None:
        maps = self.generator.provides & {Capability.G_FEATURES}
        object.__setattr__(self, "provides", type(self).provides | maps)

    @classmethod
    def tiny(cls) -> Self:
        """A tiny DCGAN generator and a category of three."""
        return cls(generator=DCGANGeneratorConfig.tiny(), prior=Structured(categories=(3,), uniform=1))

    def described(self) -> Self:
        """Return these settings with those of the generator within."""
        return replace(self, generator=self.generator.described())

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if the generator within means nothing beside the recipe's other parts."""
        self.generator.check_recipe(recipe)
