"""The game of the first GAN."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.lazy import Tensor
from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks
from ggdr.registry import games


@games.register("standard", paper="1406.2661")
@dataclass(frozen=True, kw_only=True)
class StandardGame(Game):
    """One generator makes images from noise, one discriminator judges them (Goodfellow et al. 2014)."""

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        spec: ImageSpec,
        extra: ExtraOutputs,
    ) -> Networks:
        """G, and D with a decoder for those of G's feature maps that are read; UserError if G takes images."""
        G = self.of_noise(generator).build(spec)
        return {"g": {"generator": G}, "d": {"discriminator": discriminator.build(spec, extra)}}

    def duels(self, networks: Networks, reals: Tensor, labels: Tensor | None, context: StepContext) -> list[Duel]:
        """Return the one duel of a micro-batch: the generator against the discriminator."""
        return [Duel(networks["g"]["generator"], networks["d"]["discriminator"], reals, labels, context)]
