"""FUNIT: settings of a translator that takes a class from images, and of its judge (Liu et al. 2019, 1905.01723)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero
from ggdr.networks.base import DiscriminatorConfig
from ggdr.networks.munit import MUNITTranslatorConfig
from ggdr.registry import Capability, discriminators, generators


@generators.register("funit", paper="1905.01723")
@dataclass(frozen=True, kw_only=True)
class FUNITTranslatorConfig(MUNITTranslatorConfig):
    """Content of one image and the class that others show to an image (Liu et al. 2019, sec. 3.1 and app. A).

    MUNIT's network in other sizes: three halvings, two residual blocks, and a class code of 64 numbers instead of a
    style of 8; several images of a class have the mean of their codes. Unlike the paper's, the decoder's doublings are
    normalized over all channels at once.
    """

    z_dim: int = 64
    """width of the class code"""
    blocks: int = 2
    """residual blocks of the content encoder, and of the decoder"""
    halvings: int = 3
    """times that the content is smaller than the image, in doublings"""


@discriminators.register("funit", paper="1905.01723")
@dataclass(frozen=True, kw_only=True)
class FUNITDiscriminatorConfig(DiscriminatorConfig):
    """Ten residual blocks without normalization to a map of logits of each class (Liu et al. 2019, sec. 3.2, app. A).

    Of an image's logits those of its label's class alone count; of images without labels there is one map.
    """

    channels: int = 64
    """channels of the maps at the image's resolution; twice as many at each further one, sixteen times at most"""
    halvings: int = 4
    """times that the maps are halved, at most: as many as the sides of images are even for"""
    provides: ClassVar = frozenset({Capability.PYRAMID})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "halvings")

    @classmethod
    def tiny(cls) -> Self:
        """Four to sixteen channels, two halvings."""
        return cls(channels=4, halvings=2)
