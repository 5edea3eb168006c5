"""A Game: who plays, and how a batch becomes duels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ggdr.duel import Duel, Scene
from ggdr.lazy import Tensor
from ggdr.networks.base import Brief, DiscriminatorConfig, GeneratorConfig
from ggdr.registry import Part, games
from ggdr.term import Turn

Cast = dict[Turn, dict[str, Any]]
"""turn -> the networks that learn on it, by the name under which they are saved"""


@dataclass(frozen=True, kw_only=True)
class Game(Part):
    """The settings of a game."""

    registry = games

    def cast(self, generator: GeneratorConfig, discriminator: DiscriminatorConfig, brief: Brief) -> Cast:
        """The networks that play, freshly initialised."""
        raise NotImplementedError

    def duels(self, cast: Cast, reals: Tensor, labels: Tensor | None, scene: Scene) -> list[Duel]:
        """Who meets whom on a micro-batch: reals [N, C, H, W] in [-1, 1], labels [N, L] or None."""
        raise NotImplementedError

    def restarts(self, before: float, kimg: float, brief: Brief) -> bool:
        """Whether the optimizers begin again, with no memory of gradients, at the step `kimg` after the one `before`.

        Both in thousands of reals shown until then; `brief`: of the images. A pure function, so that resuming is exact.
        """
        return False
