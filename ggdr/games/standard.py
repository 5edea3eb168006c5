"""The game of the first GAN."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.lazy import Tensor
from ggdr.networks.base import DiscriminatorConfig, GeneratorConfig, ImageSpec
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks
from ggdr.registry import games


@games.register("standard", paper="1406.2661")
@dataclass(frozen=True, kw_only=True)
class StandardGame(Game):
    """One generator makes images from noise, one discriminator judges them (Goodfellow et al. 2014)."""

    def cast(self, generator: GeneratorConfig, discriminator: DiscriminatorConfig, spec: ImageSpec) -> Networks:
        """G, and D with a decoder for those of G's feature maps that are read."""
        return {"g": {"generator": generator.build(spec)}, "d": {"discriminator": discriminator.build(spec)}}

    def duels(self, cast: Networks, reals: Tensor, labels: Tensor | None, context: StepContext) -> list[Duel]:
        """One duel."""
        return [Duel(cast["g"]["generator"], cast["d"]["discriminator"], reals, labels, context)]
