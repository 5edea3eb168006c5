"""Duels of a stack: each generator inverts one stage of a frozen encoder (arXiv 1612.04357)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from ggdr.lazy import Tensor
from ggdr.networks.base import GeneratorOutput
from ggdr.play.duel import Augmented, Duel, output_in_float32
from ggdr.registry import Capability


@dataclass
class LevelDuel(Duel):
    """One generator of a stack against its discriminator, which is not shown what fakes are made under.

    What that is, the encoder is to find in the fakes again.
    """

    above: Callable[[], Tensor] = field(kw_only=True)
    """what the fakes are made under [N, L]: labels, or features that a generator above made, or the encoder found"""
    find: Callable[[Tensor], Tensor] = field(kw_only=True)
    """what the encoder says of fakes, and gradients pass: features [N, L], or logits of classes"""
    finds_classes: bool = field(kw_only=True)
    """`find` gives logits of classes, and the fakes are made under labels"""
    provides: ClassVar = Duel.provides | {Capability.CONDITION}

    @cached_property
    def condition(self) -> Tensor:
        """What the fakes are made under [N, L]."""
        return self.above()

    @cached_property
    def found(self) -> Tensor:
        """What the encoder finds of it in the fakes [N, L]: features, or logits of classes."""
        return self.find(self.fake.image)

    def generate(self, z: Tensor) -> GeneratorOutput:
        """A further pass of G: the images of z [n, z_dim] under the first n conditions."""
        with self.context.autocast():
            return output_in_float32(self.G(z, self.condition[: len(z)], resolutions=self.made_resolutions))

    def labels_of(self, n: int) -> Tensor | None:
        """Return None: D is shown no labels."""
        return None


@dataclass
class FeatureDuel(LevelDuel):
    """The generator of features, which are images of 1 x 1 px [N, K, 1, 1] and are not augmented.

    Terms that require IMAGES pass it over.
    """

    provides: ClassVar = LevelDuel.provides - {Capability.IMAGES}

    def augmented(self, image: Tensor, maps: dict[int, Tensor]) -> Augmented:
        """Leave features as they are: augmentations move images."""
        return Augmented(image, maps)

    @property
    def made_resolutions(self) -> tuple[int, ...]:
        """Return nothing: features are vectors, and have no maps."""
        return ()
