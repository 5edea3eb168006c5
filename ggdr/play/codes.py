"""Duels of codes: what an encoder finds in images is to be distributed as a prior (arXiv 1511.05644)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from ggdr.errors import UserError
from ggdr.lazy import Tensor
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.play.duel import Augmented, Duel
from ggdr.registry import Capability


@dataclass
class CodeDuel(Duel):
    """An encoder against a discriminator of codes: the reals are samples of a prior, the fakes are codes it found.

    Both are images of 1 x 1 px [N, K, 1, 1], as `as_images` makes them. Augmentation leaves them as they are, and terms
    that require IMAGES pass the duel over.
    """

    G: Any
    """the encoder, whose weights learn on its turn"""
    find: Callable[[], Tensor] = field(kw_only=True)
    """the codes [N, K] that are judged, found when they are first read; what else reads them may keep them"""
    provides: ClassVar = Duel.provides - {Capability.IMAGES}

    @cached_property
    def fake(self) -> GeneratorOutput:
        """The codes that were found [N, K, 1, 1]; on D's turn nothing leads back from them to the encoder."""
        return self.detached(GeneratorOutput(as_images(self.find().float())))

    def generate(self, z: Tensor) -> GeneratorOutput:
        """UserError: codes are found in images, not made of noise."""
        raise UserError(
            f"a term asks for further fakes, and duel {self.name!r} is of codes, which are found in images: let the"
            " term require Capability.IMAGES, so that it passes such duels over."
        )

    def augmented(self, image: Tensor, maps: dict[int, Tensor]) -> Augmented:
        """Leave codes as they are: augmentations move images."""
        return Augmented(image, maps)


def as_images(codes: Tensor) -> Tensor:
    """Codes [N, K] as images of 1 x 1 px [N, K, 1, 1]."""
    return codes[:, :, None, None]


def code_spec(width: int, of: ImageSpec | None = None) -> ImageSpec:
    """What a discriminator of codes of this width is built for; `of`: images whose labels it is to see with them."""
    return ImageSpec(1, 1, width) if of is None else of._replace(height=1, width=1, channels=width, classes=0)
