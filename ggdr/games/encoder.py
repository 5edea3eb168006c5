"""The game of an encoder that learns to invert a generator which is trained already."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ggdr.documents import check_model_place
from ggdr.errors import UserError, at, setting
from ggdr.lazy import torch
from ggdr.networks.base import (
    DiscriminatorConfig,
    EncoderConfig,
    ExtraOutputs,
    GeneratorConfig,
    ImageSpec,
    TranslatorConfig,
)
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.play.decoded import Encoded
from ggdr.play.duel import NOBODY, Duel, StepContext
from ggdr.play.game import Game, Networks
from ggdr.play.inverted import InvertedDuel, RegressedDuel, draw, inversion
from ggdr.play.view import Reals, View
from ggdr.registry import Capability, games

if TYPE_CHECKING:
    from ggdr.networks.base.module import Generator
    from ggdr.recipe import Recipe


@games.register("encoder", paper="1702.01983")
@dataclass(frozen=True, kw_only=True)
class EncoderGame(Game):
    """An encoder learns to find the codes of images by a frozen generator, one's own (Antipov et al. 2017).

    Images are drawn from the generator, whose codes regularizer `latent_regression` compares with those that are found,
    and reals come beside them, of which no code is known: `image_reconstruction` and `perceptual` compare what the
    generator makes of the codes. `--generator none --discriminator none --loss none`. `ggdr project --encoder` starts
    from what it finds, and `ggdr encode` writes it. The generator is saved with the model.
    """

    generator: str = ""
    """folder of a run, a checkpoint or a model whose generator is inverted; or a Hub repository such as org/name"""
    encoder: EncoderConfig = field(default_factory=ConvEncoderConfig)
    """an image to its code, as wide as the generator's"""
    space: Literal["z", "w", "w+"] | None = None
    """what is found: a style for all layers (w), one for each (w+), or a latent code (z); None: w where the generator
    has styles, else z"""
    reals: bool = True
    """reals are encoded as well; False: images of the generator alone"""
    turns: ClassVar = ("e",)
    judges: ClassVar = "never"
    provides: ClassVar = RegressedDuel.provides

    def check_source(self) -> None:
        """UserError if no generator is named, or there is none by this name, by names alone."""
        if not self.generator:
            raise UserError(
                f"game {self.name!r} inverts a generator that is trained already, and {setting('generator')} names"
                f" none: give the folder of a run or of a model, {setting('generator')} runs/digits."
            )
        try:
            check_model_place(self.generator)
        except UserError as error:
            raise UserError(f"{setting('generator')}: {error}") from error

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if the recipe has a generator, which would play no part."""
        if isinstance(recipe.generator, TranslatorConfig) or recipe.generator.makes:
            raise UserError(
                f"game {self.name!r} takes its generator from {setting('game.generator')}, and the recipe has one,"
                f" {recipe.generator.name!r}, which would not play: take --generator none."
            )

    @cached_property
    def trained(self) -> Generator:
        """The generator, in eval mode on the host; UserError if there is none that makes images of noise."""
        from ggdr.networks.base.module import Generator

        with at("game"):
            self.check_source()
        with torch.device("cpu"):  # also where networks are only tried on the meta device
            return Generator.from_pretrained(self.generator)

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """The encoder that learns, and the frozen generator; UserError if it makes other images than the data has."""
        (spec,) = self.one(domains).values()
        frozen = self.trained
        self.check_images(frozen, spec)
        space = self.space_of(frozen)
        widths = {"z": frozen.z_dim, "w": frozen.w_dim}
        width = widths[space] if space in widths else frozen.w_dim * frozen.num_style_codes()
        encoder = replace(self.encoder, code_dim=width, space=space).build(spec.unlabelled())
        return Networks({"e": {"encoder": encoder}}, {"generator": copied(frozen, encoder.device)}, model=("encoder",))

    def check_images(self, generator: Generator, spec: ImageSpec) -> None:
        """UserError if a generator makes other images than those of the data, or of other labels."""
        own = generator.spec
        if own[:3] != spec[:3]:
            raise UserError(
                f"the generator of {setting('game.generator')} {self.generator} makes images of {size(own)}, and the"
                f" data has {size(spec)}: give data of its size and channels, such as --data.size {own.height}."
            )
        if own.labels and own.labels != spec.labels:
            raise UserError(
                f"the generator of {setting('game.generator')} {self.generator} was trained with labels of width"
                f" {own.labels}, and the data has {spec.labels or 'none'}: choose those by --data.labels."
            )

    def space_of(self, generator: Generator) -> Literal["z", "w", "w+"]:
        """What is found of its images; UserError if it has no such codes, or draws them from a prior."""
        styled = Capability.WS in generator.config.provides
        if Capability.PRIOR in generator.config.provides:
            raise UserError(
                f"generator {generator.config.name!r} draws its codes from a prior, which has no inverse: games"
                " autoencoder and bidirectional train an encoder beside such."
            )
        if self.space in ("w", "w+") and not styled:
            raise UserError(
                f"generator {generator.config.name!r} has no style codes; set {setting('game.space')} to z, or leave it"
                " out."
            )
        return self.space or ("w" if styled else "z")

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """One of images of the generator, and one of reals."""
        ((reals, labels),) = batch.values()
        generator, encoder = networks["generator"], networks["encoder"]
        told = labels if generator.spec.labels else None
        with context.autocast():
            drawn, known = draw(generator, encoder.config.space, len(reals), told, reals.device)
        players: tuple[Any, Any] = encoder, NOBODY
        found = [
            RegressedDuel(
                *players, drawn, told, context, encoded=Encoded(encoder, drawn, context), frozen=generator, known=known
            )
        ]
        if not self.reals:
            return [*found]
        seen = Encoded(encoder, reals, context)
        return [
            *found,
            InvertedDuel(*players, reals, told, context, name="reals", encoded=seen, frozen=generator),
        ]

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """What the generator makes of the codes that are found in images."""
        (domain,) = domains
        return {"reconstruction": inversion(networks["encoder"], networks["generator"], domain)}


def copied(generator: Generator, device: torch.device) -> Generator:
    """A generator of a run's own; on the meta device its shapes alone."""
    return copy.deepcopy(generator).to(device)


def size(spec: ImageSpec) -> str:
    """Size and channels of images, in words."""
    return f"{spec.height} x {spec.width} px with {spec.channels} channel{'s' * (spec.channels > 1)}"
