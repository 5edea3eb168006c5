"""A Game: who plays, and how a batch becomes duels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ggdr.errors import UserError
from ggdr.lazy import Tensor
from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.term import Turn
from ggdr.registry import Part, games

Networks = dict[Turn, dict[str, Any]]
"""turn -> the networks that learn on it, by the name under which they are saved"""


@dataclass(frozen=True, kw_only=True)
class Game(Part):
    """The settings of a game."""

    registry = games
    fresh_reals: bool = False
    """G's turn meets reals other than those of D's turn in the same step, as R3GAN's published program has it: each
    step reads one batch more, and counts it in no kimg"""

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        spec: ImageSpec,
        extra: ExtraOutputs,
    ) -> Networks:
        """The networks that play, freshly initialised; `extra`: what the terms ask of discriminators beside a logit."""
        raise NotImplementedError

    def of_noise(self, generator: GeneratorConfig | TranslatorConfig) -> GeneratorConfig:
        """The settings of a generator that makes images of noise; UserError if it makes them of images."""
        if isinstance(generator, GeneratorConfig):
            return generator
        raise UserError(
            f"game {self.name!r} makes images of noise, and generator {generator.name!r} makes them of images; take one"
            " that takes noise, such as --generator stylegan2."
        )

    def duels(self, networks: Networks, reals: Tensor, labels: Tensor | None, context: StepContext) -> list[Duel]:
        """Who meets whom on a micro-batch: reals [N, C, H, W] in [-1, 1], labels [N, L] or None."""
        raise NotImplementedError

    def restarts(self, before: float, kimg: float, spec: ImageSpec) -> bool:
        """Whether the optimizers begin again, with no memory of gradients, at the step `kimg` after the one `before`.

        Both in thousands of reals shown until then; `spec`: of the images. A pure function, so that resuming is exact.
        """
        return False
