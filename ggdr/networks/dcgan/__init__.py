"""DCGAN: settings of its generator and discriminator (Radford et al. 2016, arXiv 1511.06434)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

from ggdr.errors import above_zero
from ggdr.networks.base import DiscriminatorConfig, GeneratorConfig
from ggdr.ranges import Choice
from ggdr.registry import Capability, discriminators, generators


@generators.register("dcgan", paper="1511.06434")
@dataclass(frozen=True, kw_only=True)
class DCGANGeneratorConfig(GeneratorConfig):
    """Transposed convolutions with batch normalization (Radford et al. 2016, fig. 1); labels join the latent code."""

    z_dim: int = 100
    """width of the latent code"""
    channels: int = 128
    """channels of the maps at half of the image's resolution; twice as many at each halving below"""
    channel_max: int = 1024
    """most channels of a layer"""
    provides: ClassVar = frozenset({Capability.G_FEATURES, Capability.INPUT_MATRICES})

    def __post_init__(self) -> None:
        above_zero(self, "z_dim", "channels", "channel_max")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels."""
        return cls(z_dim=8, channels=4, channel_max=8)


@discriminators.register("dcgan", paper="1511.06434")
@dataclass(frozen=True, kw_only=True)
class DCGANDiscriminatorConfig(DiscriminatorConfig):
    """Strided convolutions with leaky ReLU (Radford et al. 2016, sec. 3); labels by projection (arXiv 1802.05637)."""

    channels: int = 128
    """channels of the maps at half of the image's resolution; twice as many at each halving below"""
    channel_max: int = 1024
    """most channels of a layer"""
    norm: Annotated[Literal["batch", "spectral", "none"], Choice("batch", "none", paper="1711.10337")] = "batch"
    """batch normalization as in the paper, spectral (arXiv 1802.05957), which suits gradient penalties, or none"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.LOGIT_FACTORS})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "channel_max")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels."""
        return cls(channels=4, channel_max=8)
