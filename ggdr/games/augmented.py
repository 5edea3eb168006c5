"""The game of Augmented CycleGAN: two domains without pairs, of which one image has many counterparts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from ggdr.errors import UserError
from ggdr.games.unpaired import UnpairedGame
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import (
    DiscriminatorConfig,
    EncoderConfig,
    ExtraOutputs,
    GeneratorConfig,
    ImageSpec,
    TranslatorConfig,
)
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.mlp import MLPDiscriminatorConfig
from ggdr.play.augmented import AugmentedBackDuel, AugmentedDuel
from ggdr.play.codes import CodeDuel, as_images, code_spec
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Networks
from ggdr.play.view import Reals, Way, translation_name, way_of
from ggdr.registry import games, listed

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@games.register("augmented", paper="1802.10151")
@dataclass(frozen=True, kw_only=True)
class AugmentedGame(UnpairedGame):
    """Two domains without pairs; a code says which of many images is made of one (Almahairi et al. 2018).

    The way to the second domain takes a code ~ N(0, 1); an encoder finds the code of a pair, so that the way back loses
    nothing; a third discriminator holds the codes that are found to the distribution of those that are drawn. Without
    the paper's supervised variant, which also has a tenth of the images as pairs.
    """

    pool: int = 0
    """fakes of each domain that are kept, of which D is shown one instead of a new one every other time; 0: none"""
    encoder: EncoderConfig = field(default_factory=ConvEncoderConfig)
    """a pair of images to its code; it is as wide as the generator's `z_dim`"""
    discriminator_z: DiscriminatorConfig = field(default_factory=MLPDiscriminatorConfig)
    """judges codes; `discriminator` judges images of both domains"""
    turns: ClassVar = ("d", "g")
    provides: ClassVar = AugmentedDuel.provides

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if the loss needs more of the discriminator of codes than that provides."""
        super().check_recipe(recipe)
        if missing := recipe.loss.requires - self.discriminator_z.provides - CodeDuel.provides:
            raise UserError(
                f"game {self.name!r} judges codes, too: loss {recipe.loss.name!r} requires {listed(missing)}, and"
                f" discriminator {self.discriminator_z.name!r} of codes provides"
                f" {listed(self.discriminator_z.provides)}: take another loss, such as --loss least_squares."
            )

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """Both translators, the encoder and three discriminators; UserError if these take codes that they should not.

        So it is if images of both domains cannot lie on each other, or there are no two domains.
        """
        translator = self.of_images(generator)
        a, b = self.two(domains).values()
        if a[:2] != b[:2]:
            raise UserError(
                f"game {self.name!r} shows its encoder images of both domains on each other, and they have {a.height} x"
                f" {a.width} and {b.height} x {b.width} px: give both one size, --data.size {b.height} {b.width}."
            )
        there, back = translator.build(b, a), translator.without_code().build(a, b)
        if not there.z_dim or back.z_dim:
            what = "takes no code" if not there.z_dim else "takes one both ways"
            raise UserError(
                f"game {self.name!r} has a generator that takes a code one way and none the other, and generator"
                f" {generator.name!r} {what}: take --generator resnet_translator --generator.z-dim 16."
            )
        if not self.discriminator_z.judges:
            raise UserError(f"game {self.name!r} judges codes, too: take --game.discriminator-z mlp.")
        pair = ImageSpec(b.height, b.width, a.channels + b.channels)
        makers = {
            "generator_ab": there,
            "generator_ba": back,
            "encoder_b": replace(self.encoder, code_dim=there.z_dim).build(pair),
        }
        judges = {
            "discriminator_a": discriminator.build(a, extra),
            "discriminator_b": discriminator.build(b, extra),
            "discriminator_z": self.discriminator_z.build(code_spec(there.z_dim)),
        }
        return Networks({"d": judges, "g": makers})

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """Three duels: from the first domain to the second under drawn codes, back, and of the codes found on the way
        back."""
        (first, a), (second, b) = batch.items()
        encoder = networks["encoder_b"]
        there = AugmentedDuel(
            networks["generator_ab"],
            networks["discriminator_b"],
            *b,
            context,
            name=translation_name(first, second),
            source=a.images,
            pool=self.pools,
            encoder=encoder,
        )
        back = AugmentedBackDuel(
            networks["generator_ba"],
            networks["discriminator_a"],
            *a,
            context,
            name=translation_name(second, first),
            source=b.images,
            pool=self.pools,
            encoder=encoder,
        )
        there.face(back)  # type: ignore[arg-type]
        prior = as_images(torch.randn(len(b.images), there.G.z_dim, device=b.images.device))
        judge = networks["discriminator_z"]
        codes = CodeDuel(encoder, judge, prior, None, context, name="codes", find=lambda: back.code)
        return [there, back, codes]

    def translators(self, networks: Mapping[str, Any]) -> tuple[Way, Way]:
        """How images of the first domain become those of the second, by a code or in an image's style, and back."""
        there, back, encoder = (networks[name] for name in ("generator_ab", "generator_ba", "encoder_b"))

        def encode_style(images: Tensor) -> Tensor:
            """The code of an image of the second domain, whose counterpart is what the way back makes of it."""
            return encoder(torch.cat([back.translate(images), images], dim=1)).mean

        return way_of(there)._replace(encode_style=encode_style, style_spec=there.spec), way_of(back)
