"""pix2pix's generator: settings of a U-Net from images to images (Isola et al. 2017, arXiv 1611.07004)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from ggdr.errors import UserError, above_zero, setting
from ggdr.networks.base import TranslatorConfig
from ggdr.networks.dcgan.init import Init
from ggdr.registry import Capability, generators


@generators.register("unet_translator", paper="1611.07004")
@dataclass(frozen=True, kw_only=True)
class UNetTranslatorConfig(TranslatorConfig):
    """Image to image: a U-Net whose halvings and doublings share maps (Isola et al. 2017, app. 6.1).

    The paper's halves 256 px 8 times, to a single pixel, and has 54.41 M weights. At test it runs as in training, with
    dropout and statistics of what it is shown (sec. 3.4). Labels join the image as planes.
    """

    channels: int = 64
    """channels after the first halving; twice as many after each that follows, eight times as many at most"""
    halvings: int = 8
    """times that the image is halved, at most: as often as both of its sides are even"""
    norm: Literal["batch", "instance"] = "batch"
    """what is normalized after convolutions: the batch, as in the paper, or each image by itself"""
    batch_at_test: bool = True
    """at test, batch normalization uses statistics of what is translated, each image by itself, as the published
    program does with one image at a time; False: running statistics of training"""
    dropout: float = 0.5
    """chance that a number is dropped, after the innermost doublings: three of eight, two of seven, one of six"""
    dropout_at_test: bool = True
    """at test too, numbers are dropped: the network's only noise"""
    init: Init = "normal"
    """how weights begin: "normal", N(0, 0.02), or "xavier", Xavier's with a gain of 0.02, as in CUT"""
    provides: ClassVar = frozenset({Capability.G_FEATURES, Capability.ENCODER_MAPS})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "halvings")
        if not 0 <= self.dropout < 1:
            raise UserError(f"{setting('dropout')} is {self.dropout}; give a number from 0, below 1.")

    @classmethod
    def tiny(cls) -> Self:
        """Four channels and more, three halvings; each image by itself, and no noise at test."""
        return cls(channels=4, halvings=3, norm="instance", dropout_at_test=False)
