"""The game of the first GAN."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.duel import Duel, Scene
from ggdr.game import Cast, Game
from ggdr.lazy import Tensor
from ggdr.networks.base import Brief, DiscriminatorConfig, GeneratorConfig
from ggdr.registry import games


@games.register("noise", paper="1406.2661")
@dataclass(frozen=True, kw_only=True)
class Noise(Game):
    """One generator makes images from noise, one discriminator judges them (Goodfellow et al. 2014)."""

    def cast(self, generator: GeneratorConfig, discriminator: DiscriminatorConfig, brief: Brief) -> Cast:
        """G, and D with a decoder for those of G's feature maps that are read."""
        return {"g": {"generator": generator.build(brief)}, "d": {"discriminator": discriminator.build(brief)}}

    def duels(self, cast: Cast, reals: Tensor, labels: Tensor | None, scene: Scene) -> list[Duel]:
        """One duel."""
        return [Duel(cast["g"]["generator"], cast["d"]["discriminator"], reals, labels, scene)]
