"""SRGAN's discriminator: settings of convolutions and two dense layers (Ledig et al. 2017, arXiv 1609.04802)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from ggdr.errors import above_zero
from ggdr.networks.base import DiscriminatorConfig
from ggdr.registry import Capability, discriminators


@discriminators.register("srgan", paper="1609.04802")
@dataclass(frozen=True, kw_only=True)
class SRGANDiscriminatorConfig(DiscriminatorConfig):
    """Pairs of 3x3 convolutions, each of which halves the maps, and two dense layers (Ledig et al. 2017, fig. 4).

    The paper's has eight convolutions; at 96 px 23.6 M weights, four fifths of them in the first dense layer. ESRGAN
    trains against it too. Labels by projection.
    """

    channels: int = 64
    """channels of the first pair; twice as many in each that follows, eight times as many at most"""
    halvings: int = 4
    """pairs, at most: as many as leave whole pixels"""
    hidden: int = 1024
    """width of the dense layer before the logit"""
    norm: Literal["batch", "none"] = "batch"
    """what is normalized after convolutions, the first aside"""
    spectral: bool = False
    """divide weights by their spectral norm (arXiv 1802.05957), beside what `norm` does"""
    provides: ClassVar = frozenset({Capability.PYRAMID})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "halvings", "hidden")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels, two halvings."""
        return cls(channels=4, halvings=2, hidden=8)
