"""The game of BiGAN and ALI: a discriminator judges images together with their codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from ggdr.errors import UserError
from ggdr.networks.base import (
    DiscriminatorConfig,
    EncoderConfig,
    ExtraOutputs,
    GeneratorConfig,
    ImageSpec,
    TranslatorConfig,
)
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.play.decoded import Encoded, reconstruction
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks
from ggdr.play.joint import EncoderDuel, JointDuel
from ggdr.play.term import Loss
from ggdr.play.view import Reals, View, of_noise
from ggdr.registry import discover, games, losses

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@games.register("bidirectional", paper="1605.09782")
@dataclass(frozen=True, kw_only=True)
class BidirectionalGame(Game):
    """An encoder beside the generator, and D judges pairs of image and code (BiGAN, Donahue et al. 2017).

    Reals come with the codes that the encoder finds, fakes with those that they are made of; where D cannot tell them,
    one is the inverse of the other. `--game.encoder.stochastic` is ALI (Dumoulin et al. 2017, arXiv 1606.00704). D
    takes codes where it takes labels: any discriminator will do; most project them, and `concat` shows them as planes.
    """

    encoder: EncoderConfig = field(default_factory=ConvEncoderConfig)
    """an image to its code, as wide as the generator's `z_dim`"""
    turns: ClassVar = ("d", "g")
    provides: ClassVar = JointDuel.provides

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if the loss does not ask of one kind of pair what it asks of the other."""
        if not recipe.loss.symmetric:
            discover()
            able = sorted(name for name, loss in losses.items() if issubclass(loss, Loss) and loss.symmetric)
            raise UserError(
                f"game {self.name!r} teaches the encoder by turning the signs of D's logits round, and loss"
                f" {recipe.loss.name!r} does not ask of them what it asked before: take one of {', '.join(able)}."
            )

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """The generator, the encoder, and a discriminator that is told codes; UserError if there are two domains."""
        (spec,) = self.one(domains).values()
        maker = self.of_noise(generator).build(spec)
        encoder = replace(self.encoder, code_dim=maker.z_dim).build(spec.unlabelled())
        pairs = spec.unlabelled()._replace(labels=spec.labels + maker.z_dim)
        makers = {"generator": maker, "encoder": encoder}
        return Networks({"d": {"discriminator_joint": discriminator.build(pairs, extra)}, "g": makers})

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """The joint duel, and on the turn of generator and encoder also what the encoder sees of it."""
        (reals,) = batch.values()
        players = networks["generator"], networks["discriminator_joint"]
        encoded = Encoded(networks["encoder"], reals.images, context)
        joint = JointDuel(*players, *reals, context, encoded=encoded)
        if context.turn == "d":
            return [joint]
        return [joint, EncoderDuel(*players, *reals, context, name="encoder", joint=joint)]

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """What is made of noise, and what becomes of images on the way to their codes and back."""
        (domain,) = domains
        return {
            "fakes": of_noise(networks["generator"], domain),
            "reconstruction": reconstruction(networks["encoder"], networks["generator"], domain),
        }
