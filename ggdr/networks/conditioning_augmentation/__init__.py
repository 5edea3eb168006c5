"""Conditioning augmentation: settings of a generator that draws what it is told from about its labels (1612.03242)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.errors import above_zero
from ggdr.networks.base import GeneratorConfig
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.registry import Capability, generators

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@generators.register("conditioning_augmentation", paper="1612.03242")
@dataclass(frozen=True, kw_only=True)
class ConditioningAugmentationGeneratorConfig(GeneratorConfig):
    """Any generator, told a code from a normal distribution that depends on the label (Zhang et al. 2017, eq. 2).

    Between texts that are few and far apart the codes are many and near; regularizer `kl` keeps them so. The draw is a
    part of the latent code.
    """

    generator: GeneratorConfig = DCGANGeneratorConfig()
    """makes images; codes are its labels, and any generator that takes labels can be it"""
    width: int = 128
    """numbers of a code"""
    provides: ClassVar = frozenset({Capability.POSTERIOR})
    hands_on: ClassVar[frozenset[Capability]] = frozenset({Capability.G_FEATURES})
    """what it provides if its generator does"""

    def __post_init__(self) -> None:
        above_zero(self, "width")
        object.__setattr__(self, "provides", self.provides | (self.generator.provides & self.hands_on))

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if its generator means nothing beside the recipe's other parts."""
        self.generator.check_recipe(recipe)

    @classmethod
    def tiny(cls) -> Self:
        """Three numbers, on a tiny DCGAN."""
        return cls(generator=DCGANGeneratorConfig.tiny(), width=3)

    def described(self) -> Self:
        """Return these settings with those of its generator as they are described."""
        return replace(self, generator=self.generator.described())
