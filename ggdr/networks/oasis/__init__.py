"""OASIS: settings of a generator of images of label maps, and of what segments them to judge (arXiv 2012.04781)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero
from ggdr.networks.base import DiscriminatorConfig
from ggdr.networks.spade import SPADETranslatorConfig
from ggdr.registry import Capability, discriminators, generators


@discriminators.register("oasis", paper="2012.04781")
@dataclass(frozen=True, kw_only=True)
class OASISDiscriminatorConfig(DiscriminatorConfig):
    """A residual U-Net tells the class of each pixel, one of them that of fakes (Schönfeld et al. 2021, fig. 2).

    Its logits, one of each pixel, are the log-odds of not being a fake. Where no term asks for classes there are two,
    and it judges pixels. Spectrally normalized throughout; six blocks down and six up at 256 px. Widths of the encoder
    are the paper's; those of the decoder and the slope of leaky ReLUs, 0.2, are noted from memory.
    """

    channels: int = 128
    """channels of the maps at half and a quarter of the image's resolution; twice as many at every other halving"""
    channel_max: int = 512
    """most channels of a block"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.CLASS_LOGITS, Capability.CLASS_ODDS})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "channel_max")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels."""
        return cls(channels=4, channel_max=8)


@generators.register("oasis", paper="2012.04781")
@dataclass(frozen=True, kw_only=True)
class OASISTranslatorConfig(SPADETranslatorConfig):
    """Label map and 3D noise to image: each place has a code beside its class (Schönfeld et al. 2021, sec. 3.3).

    In training all places of an image have one code; then a code may be drawn for the image, for each class in it, or
    for each pixel. Otherwise it is SPADE's generator, with a block less, and takes maps of any size.
    """

    z_dim: int = 64
    """width of the code of each place"""
    doublings: int = 5
    """times that maps are doubled, a residual block before and after each, at most: as many as the size allows"""
    provides: ClassVar = frozenset({Capability.G_FEATURES, Capability.PLACE_CODES})

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "z_dim")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels, one doubling."""
        return cls(channels=4, z_dim=3, doublings=1, hidden=4)
