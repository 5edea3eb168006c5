"""The game of the first GAN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ggdr.errors import UserError
from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks, Reals
from ggdr.registry import games


@games.register("standard", paper="1406.2661")
@dataclass(frozen=True, kw_only=True)
class StandardGame(Game):
    """One generator makes images from noise, one discriminator judges them (Goodfellow et al. 2014)."""

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """G, and D with a decoder for those of G's feature maps that are read.

        UserError if G takes images, or there are several domains.
        """
        if len(domains) > 1:
            raise UserError(
                f"game {self.name!r} has images of one kind, and the data has {', '.join(domains)}: take --game paired"
                " where those at one place belong together, --game unpaired where they do not."
            )
        (spec,) = domains.values()
        G = self.of_noise(generator).build(spec)
        return Networks({"g": {"generator": G}, "d": {"discriminator": discriminator.build(spec, extra)}})

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """Return the one duel of a micro-batch: the generator against the discriminator."""
        (reals,) = batch.values()
        return [Duel(networks["generator"], networks["discriminator"], *reals, context)]
