"""PatchGAN: settings of a discriminator that judges patches of an image (Isola et al. 2017, arXiv 1611.07004)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from ggdr.errors import above_zero, not_negative
from ggdr.networks.base import DiscriminatorConfig
from ggdr.networks.dcgan.init import Init
from ggdr.registry import Capability, discriminators


@discriminators.register("patch", paper="1611.07004")
@dataclass(frozen=True, kw_only=True)
class PatchDiscriminatorConfig(DiscriminatorConfig):
    """A logit of each overlapping patch, of 70 x 70 px with three halvings (Isola et al. 2017, app. 6.1.2).

    CycleGAN's: norm instance, 2.76 M weights; pix2pix's: norm batch, and six channels in, 2.77 M. Labels by projection.
    """

    channels: int = 64
    """channels after the first halving; twice as many after each layer that follows, eight times as many at most"""
    halvings: int = 3
    """strided layers, at most: as many as leave a patch; 0 sees 16 px, 3 sees 70 px, 5 sees 286 px"""
    unstrided: int = 1
    """layers between the halvings and the logits that keep the size, but for a pixel; 0: none, as in MUNIT"""
    norm: Literal["instance", "batch", "none"] = "instance"
    """what is normalized after convolutions, the first and the last aside"""
    spectral: bool = False
    """divide weights by their spectral norm (arXiv 1802.05957), beside what `norm` does"""
    antialias: bool = False
    """blur before halving, as CUT does (arXiv 2007.15651), instead of strided convolutions"""
    scales: int = 1
    """networks of this kind, each of which sees the image at half the size of the one before (arXiv 1711.11585)"""
    init: Init = "normal"
    """how weights begin: "normal", N(0, 0.02), or "xavier", Xavier's with a gain of 0.02, as in CUT"""
    provides: ClassVar = frozenset({Capability.PYRAMID})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "halvings", "scales")
        not_negative(self, "unstrided")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels."""
        return cls(channels=4, halvings=2)
