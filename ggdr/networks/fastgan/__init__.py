"""FastGAN: settings of its generator and discriminator (Liu et al. 2021, arXiv 2101.04775)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero
from ggdr.networks.base import DiscriminatorConfig, GeneratorConfig
from ggdr.registry import Capability, discriminators, generators


@generators.register("fastgan", paper="2101.04775")
@dataclass(frozen=True, kw_only=True)
class FastGANGeneratorConfig(GeneratorConfig):
    """One convolution a resolution, and skip-layer excitation from small maps to large (Liu et al. 2021, sec. 3.1).

    The paper's is unconditional; here labels join the latent code. Its noise beside the code is left out.
    """

    z_dim: int = 256
    """width of the latent code"""
    channel_base: int = 32768
    """channels x resolution of the wide layers; the rule and this default are ours"""
    channel_max: int = 512
    """most channels of a layer"""
    skips: int = 3
    """most skip-layer excitations; they start at 8 px, or twice the base"""
    reach: int = 4
    """doublings between the ends of one, fewer where the image leaves no room: 8 to 128 px, and so on"""
    provides: ClassVar = frozenset({Capability.G_FEATURES, Capability.INPUT_MATRICES})

    def __post_init__(self) -> None:
        above_zero(self, "z_dim", "channel_base", "channel_max", "skips", "reach")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels."""
        return cls(z_dim=8, channel_base=64, channel_max=8)


@discriminators.register("fastgan", paper="2101.04775")
@dataclass(frozen=True, kw_only=True)
class FastGANDiscriminatorConfig(DiscriminatorConfig):
    """An encoder whose maps small decoders turn into the real image again (Liu et al. 2021, sec. 3.2).

    The decoders are run by the regularizer `fastgan_reconstruction`. The paper's is unconditional; labels by projection
    (arXiv 1802.05637).
    """

    channel_base: int = 32768
    """channels x resolution of the wide layers; the rule and this default are ours"""
    channel_max: int = 512
    """most channels of a layer"""
    decoder_channels: int = 64
    """channels of the decoders' first maps, halved at each doubling; ours"""
    spectral: bool = True
    """spectral normalization of what makes the logit (arXiv 1802.05957), which the hinge loss asks for; ours"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.RECONSTRUCTION})

    def __post_init__(self) -> None:
        above_zero(self, "channel_base", "channel_max", "decoder_channels")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels."""
        return cls(channel_base=64, channel_max=8, decoder_channels=8)
