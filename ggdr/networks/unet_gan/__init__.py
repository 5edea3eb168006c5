"""U-Net GAN: settings of a discriminator that judges the image and each of its pixels (arXiv 2002.12655)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero
from ggdr.networks.base import DiscriminatorConfig
from ggdr.registry import Capability, discriminators


@discriminators.register("unet_gan", paper="2002.12655")
@dataclass(frozen=True, kw_only=True)
class UNetGANDiscriminatorConfig(DiscriminatorConfig):
    """A residual encoder judges the image, a decoder each of its pixels (Schönfeld et al. 2020, fig. 2).

    The regularizers `per_pixel` and `cutmix` read the decoder, which without them learns nothing.
    """

    channels: int = 64
    """channels of the maps at half of the image's resolution; twice as many at each halving below"""
    channel_max: int = 1024
    """most channels of a layer"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.PIXEL_LOGITS, Capability.LOGIT_FACTORS})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "channel_max")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels."""
        return cls(channels=4, channel_max=8)
