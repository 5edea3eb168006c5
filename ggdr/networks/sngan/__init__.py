"""SNGAN: settings of its residual generator and discriminator (Miyato et al. 2018, arXiv 1802.05957)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from ggdr.errors import above_zero
from ggdr.networks.base import DiscriminatorConfig, GeneratorConfig
from ggdr.registry import Capability, discriminators, generators


@generators.register("sngan", paper="1802.05957")
@dataclass(frozen=True, kw_only=True)
class SNGANGeneratorConfig(GeneratorConfig):
    """Residual blocks with batch normalization (Miyato et al. 2018, app. B), scaled by label (arXiv 1802.05637)."""

    z_dim: int = 128
    """width of the latent code"""
    channels: int = 64
    """channels of the maps at the image's resolution; twice as many at each halving below"""
    channel_max: int = 1024
    """most channels of a layer; equal to `channels`: all layers are as wide, as the paper's for 32 px"""
    provides: ClassVar = frozenset({Capability.G_FEATURES, Capability.INPUT_MATRICES})

    def __post_init__(self) -> None:
        above_zero(self, "z_dim", "channels", "channel_max")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels."""
        return cls(z_dim=8, channels=4, channel_max=8)


@discriminators.register("sngan", paper="1802.05957")
@dataclass(frozen=True, kw_only=True)
class SNGANDiscriminatorConfig(DiscriminatorConfig):
    """Residual blocks with spectral normalization (Miyato et al. 2018, app. B); labels by projection (1802.05637).

    With norm "none" or "layer" it is the residual critic of WGAN-GP (arXiv 1704.00028).
    """

    channels: int = 64
    """channels of the maps at half of the image's resolution; twice as many at each halving below"""
    channel_max: int = 1024
    """most channels of a layer; equal to `channels`: all layers are as wide, as the paper's for 32 px"""
    norm: Literal["spectral", "none", "layer"] = "spectral"
    """what is normalized: all weights, nothing, or maps (arXiv 1607.06450); the last two suit gradient penalties"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.LOGIT_FACTORS})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "channel_max")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels."""
        return cls(channels=4, channel_max=8)
