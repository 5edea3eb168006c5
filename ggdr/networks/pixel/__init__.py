"""PixelGAN: settings of a discriminator that judges each pixel by itself (Isola et al. 2017, arXiv 1611.07004)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from ggdr.errors import above_zero
from ggdr.networks.base import DiscriminatorConfig
from ggdr.registry import Capability, discriminators


@discriminators.register("pixel", paper="1611.07004")
@dataclass(frozen=True, kw_only=True)
class PixelDiscriminatorConfig(DiscriminatorConfig):
    """A logit of each pixel, by its colours alone: patches of 1 x 1 px (Isola et al. 2017, sec. 4.4).

    Labels by projection. It has no maps smaller than the image, so that no decoder goes on top.
    """

    channels: int = 64
    """channels of the first layer; the second has twice as many"""
    norm: Literal["instance", "batch", "none"] = "instance"
    """what is normalized after the second convolution"""
    provides: ClassVar = frozenset({Capability.PIXEL_LOGITS})

    def __post_init__(self) -> None:
        above_zero(self, "channels")

    @classmethod
    def tiny(cls) -> Self:
        """Eight and sixteen channels."""
        return cls(channels=8)
