"""SRResNet: settings of SRGAN's generator, which makes images larger (Ledig et al. 2017, arXiv 1609.04802)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero, not_negative
from ggdr.networks.base import TranslatorConfig
from ggdr.registry import Capability, generators


@generators.register("srresnet", paper="1609.04802")
@dataclass(frozen=True, kw_only=True)
class SRResNetTranslatorConfig(TranslatorConfig):
    """Image to larger image: residual blocks, then doublings by PixelShuffle (Ledig et al. 2017, fig. 4).

    The paper's makes images four times as large, and has 1.55 M weights; here also 1, 2, 8 ... times. It takes images
    of any size. In training its output has no bounds, as in the paper; at test it is clipped to [-1, 1].
    """

    channels: int = 64
    """channels of all maps"""
    blocks: int = 16
    """residual blocks, at the size of the source"""
    provides: ClassVar = frozenset({Capability.G_FEATURES})

    def __post_init__(self) -> None:
        above_zero(self, "channels")
        not_negative(self, "blocks")

    @classmethod
    def tiny(cls) -> Self:
        """Eight channels, one block."""
        return cls(channels=8, blocks=1)
