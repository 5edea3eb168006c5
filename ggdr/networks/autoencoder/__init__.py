"""Autoencoder: settings of a discriminator that judges by reconstruction (arXiv 1609.03126, 1703.10717)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

from ggdr.errors import above_zero
from ggdr.networks.base import DiscriminatorConfig
from ggdr.ranges import Choice
from ggdr.registry import Capability, discriminators


@discriminators.register("autoencoder", paper="1609.03126")
@dataclass(frozen=True, kw_only=True)
class AutoencoderDiscriminatorConfig(DiscriminatorConfig):
    """An autoencoder whose logit is minus its reconstruction error of the image (Zhao et al. 2017, sec. 2.3).

    For the losses `ebgan` and `began`, which read minus the logit as an energy. No logit is above 0, so neither
    ADA nor APA finds a sign to follow.
    """

    channels: int = 64
    """channels of the maps at half of the image's resolution; twice as many at each halving below"""
    channel_max: int = 512
    """most channels of a layer"""
    code: int = 64
    """numbers that an image must pass through; labels join them on the way back, the papers have none"""
    error: Literal["squared", "absolute"] = "squared"
    """mean squared error (EBGAN), or mean absolute error (BEGAN, eq. 1), over all pixels and channels"""
    norm: Annotated[Literal["batch", "none"], Choice("batch", "none", paper="1711.10337")] = "none"
    """batch normalization by the batch at hand (EBGAN), or none (BEGAN)"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.ENERGY})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "channel_max", "code")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels."""
        return cls(channels=4, channel_max=8, code=8)
