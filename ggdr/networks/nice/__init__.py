"""NICE-GAN: settings of a discriminator that also encodes, and of a generator that decodes (arXiv 2003.00273)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero, not_negative
from ggdr.networks.base import DiscriminatorConfig, TranslatorConfig
from ggdr.registry import Capability, discriminators, generators


@discriminators.register("nice", paper="2003.00273")
@dataclass(frozen=True, kw_only=True)
class NICEDiscriminatorConfig(DiscriminatorConfig):
    """An encoder with class activation maps, and a local and a global head of patches (Chen et al. 2020, sec. 3.3).

    What its encoder makes of an image is what a generator of the other domain decodes. Its first logits are those of
    the local head; the global head's and the classifier's come beside them. The paper's, at 256 px, judges patches of
    70 and of 286 px. All weights are spectrally normalized; the published program iterates in each pass
    (`power_iteration` "pass"). Labels by projection.
    """

    channels: int = 64
    """channels after the first halving; twice as many after each layer that follows"""
    halvings: int = 2
    """halvings of the encoder, at most, so of the codes; 1 keeps more of images that are small already"""
    global_halvings: int = 2
    """further halvings of the global head, at most: fewer where images are so small that no patch would be left"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.ENCODE})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "halvings")
        not_negative(self, "global_halvings")

    @classmethod
    def tiny(cls) -> Self:
        """Four channels and more."""
        return cls(channels=4)


@generators.register("nice", paper="2003.00273")
@dataclass(frozen=True, kw_only=True)
class NICETranslatorConfig(TranslatorConfig):
    """Codes of a discriminator's encoder to images: residual blocks that they modulate (Chen et al. 2020, sec. 3.3).

    Scale and shift of adaptive layer-instance normalization come from the codes; images double by sub-pixel
    convolution. Labels join the codes as planes.
    """

    channels: int = 64
    """channels at the image's resolution; four times as many in the residual blocks, at a quarter of it"""
    blocks: int = 6
    """residual blocks"""
    light: bool = True
    """scale and shift come from the means of maps; else from all of their pixels, by a layer of 268 M weights at 256
    px"""
    provides: ClassVar = frozenset({Capability.G_FEATURES})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "blocks")

    @classmethod
    def tiny(cls) -> Self:
        """Eight channels and more, one block."""
        return cls(channels=8, blocks=1)
