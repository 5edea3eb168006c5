"""Convolutional encoder: settings of a network from images to codes (Almahairi et al. 2018, arXiv 1802.10151)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from ggdr.errors import above_zero, not_negative
from ggdr.networks.base import EncoderConfig
from ggdr.registry import encoders


@encoders.register("conv", paper="1802.10151")
@dataclass(frozen=True, kw_only=True)
class ConvEncoderConfig(EncoderConfig):
    """Image to code: strided convolutions, one that sees what is left, and linear layers (Almahairi et al. 2018).

    At 64 px there are four halvings and the last convolution sees all that is left; of larger images its maps' mean
    over all places is read, so that any size from 4 px on has a code. Labels join the image as planes.
    """

    channels: int = 32
    """channels after the first halving; twice as many after each that follows, eight times as many at most"""
    halvings: int = 4
    """strided layers, at most: as many as leave 4 px a side"""
    norm: Literal["batch", "instance", "none"] = "batch"
    """what is normalized after strided convolutions: the batch, as in the paper, each image by itself, or nothing"""
    stochastic: bool = False
    """codes are drawn, of a mean and a variance that it says of each image; False: the mean is the code"""

    def __post_init__(self) -> None:
        above_zero(self, "channels", "code_dim")
        not_negative(self, "halvings")

    @classmethod
    def tiny(cls) -> Self:
        """Four channels, two halvings."""
        return cls(channels=4, halvings=2, code_dim=3)
