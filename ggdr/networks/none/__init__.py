"""No generator, discriminator or encoder: what stands in its place in a game that does without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError
from ggdr.networks.base import (
    NO_EXTRA,
    DiscriminatorConfig,
    EncoderConfig,
    ExtraOutputs,
    GeneratorConfig,
    ImageSpec,
)
from ggdr.registry import discriminators, encoders, generators

if TYPE_CHECKING:
    from ggdr.networks.base.module import Discriminator, Encoder, Generator


@generators.register("none")
@dataclass(frozen=True, kw_only=True)
class NoGeneratorConfig(GeneratorConfig):
    """No generator of the recipe's own: the game brings one that is trained already, as `encoder` does."""

    makes: ClassVar = False

    def build(self, spec: ImageSpec) -> Generator:
        """There is nothing to build: UserError, for whoever needs a generator."""
        raise UserError(
            "generator 'none' makes nothing, and here one is needed: take another, such as --generator stylegan2."
        )


@discriminators.register("none")
@dataclass(frozen=True, kw_only=True)
class NoDiscriminatorConfig(DiscriminatorConfig):
    """No discriminator: nobody judges, and D has no turn; the loss is `none` too, and other terms train the generator.

    For games that can do without: pairs by their distance alone, as SRGAN's generator begins (arXiv 1609.04802).
    """

    judges: ClassVar = False

    def build(self, spec: ImageSpec, extra: ExtraOutputs = NO_EXTRA) -> Discriminator:
        """There is nothing to build: UserError, for whoever needs a discriminator."""
        raise UserError(
            "discriminator 'none' judges nothing, and here one is needed: take another, such as --discriminator patch."
        )


@encoders.register("none")
@dataclass(frozen=True, kw_only=True)
class NoEncoderConfig(EncoderConfig):
    """No encoder: codes are drawn, in a game that can do without one."""

    encodes: ClassVar = False

    def build(self, spec: ImageSpec) -> Encoder:
        """There is nothing to build: UserError, for whoever needs an encoder."""
        raise UserError("encoder 'none' encodes nothing, and here one is needed: take another, such as conv.")
