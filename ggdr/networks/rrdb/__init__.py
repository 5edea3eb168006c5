"""RRDB: settings of ESRGAN's generator, which makes images larger (Wang et al. 2018, arXiv 1809.00219)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero, not_negative
from ggdr.networks.base import TranslatorConfig
from ggdr.registry import Capability, generators


@generators.register("rrdb", paper="1809.00219")
@dataclass(frozen=True, kw_only=True)
class RRDBTranslatorConfig(TranslatorConfig):
    """Image to larger image: residual blocks of dense blocks, without normalization (Wang et al. 2018, sec. 3.1).

    The paper's makes images four times as large, and has 16.70 M weights; here also 1, 2, 8 ... times. It takes images
    of any size. In training its output has no bounds, as in the paper; at test it is clipped to [-1, 1].
    """

    channels: int = 64
    """channels of the maps between dense blocks"""
    growth: int = 32
    """channels that each convolution of a dense block adds"""
    blocks: int = 23
    """residual blocks of three dense blocks each, at the size of the source"""
    residual_scale: float = 0.2
    """factor of what a block adds to what it reads, above 0, at most 1"""
    provides: ClassVar = frozenset({Capability.G_FEATURES})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "growth", "residual_scale")
        not_negative(self, "blocks")

    @classmethod
    def tiny(cls) -> Self:
        """Four channels, two more each time, one block."""
        return cls(channels=4, growth=2, blocks=1)
