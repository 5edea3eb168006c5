"""StarGAN's discriminator: settings of strided convolutions to patches and a class (Choi et al. 2018, 1711.09020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero
from ggdr.networks.base import DiscriminatorConfig
from ggdr.registry import Capability, discriminators


@discriminators.register("stargan", paper="1711.09020")
@dataclass(frozen=True, kw_only=True)
class StarGANDiscriminatorConfig(DiscriminatorConfig):
    """Strided convolutions without normalization to logits of patches, which see no label (Choi et al. 2018, app. 7.2).

    Heads, such as a classifier's, read all of the last maps. The paper's is for 128 px, 44.8 M weights with 5 labels.
    """

    channels: int = 64
    """channels after the first halving; twice as many after each further one"""
    halvings: int = 6
    """strided layers, at most: as many as the sides of images are even for"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.HEADS})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "halvings")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels, two halvings."""
        return cls(channels=4, halvings=2)
