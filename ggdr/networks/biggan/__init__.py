"""BigGAN and BigGAN-deep: settings of their generators and discriminators (Brock et al. 2019, arXiv 1809.11096)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero, not_negative
from ggdr.networks.base import GeneratorConfig
from ggdr.networks.sagan import SAGANDiscriminatorConfig
from ggdr.registry import Capability, discriminators, generators


@dataclass(frozen=True, kw_only=True)
class BigGANGeneratorBaseConfig(GeneratorConfig):
    """What the settings of both generators share."""

    embedding: int = 128
    """width of the class embedding that all blocks share; without labels there is none"""
    channels: int = 96
    """channels of the maps at the image's resolution; twice as many at each halving below"""
    channel_max: int = 1536
    """most channels of a layer; the paper's is 16 times `channels`"""
    attention: int = 64
    """resolution of the maps that attend to themselves, pixels: the nearest above the smallest is taken; 0: none"""
    provides: ClassVar = frozenset(
        {Capability.WS, Capability.G_FEATURES, Capability.TRUNCATION, Capability.INPUT_MATRICES}
    )

    def __post_init__(self) -> None:
        above_zero(self, "embedding", "channels", "channel_max")
        not_negative(self, "attention")


@generators.register("biggan", paper="1809.11096")
@dataclass(frozen=True, kw_only=True)
class BigGANGeneratorConfig(BigGANGeneratorBaseConfig):
    """Residual blocks, each steered by the class embedding and its own part of z (Brock et al. 2019, fig. 15).

    The part of z and the embedding are a block's style code; psi scales z towards its mean, which is zero.
    """

    z_part: int = 20
    """width of the parts that the latent code is split into, one for the linear layer and one for each block"""

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "z_part")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels."""
        return cls(z_part=4, embedding=4, channels=4, channel_max=8)


@generators.register("biggan_deep", paper="1809.11096")
@dataclass(frozen=True, kw_only=True)
class BigGANDeepGeneratorConfig(BigGANGeneratorBaseConfig):
    """BigGAN with bottlenecks and twice the blocks, each steered by class and all of z (Brock et al. 2019, fig. 16).

    z and the embedding are the style code, the same for all; psi scales z towards its mean, which is zero.
    """

    z_dim: int = 128
    """width of the latent code"""
    channels: int = 128
    """channels of the maps at the image's resolution; twice as many at each halving below"""
    channel_max: int = 2048
    """most channels of a layer; the paper's is 16 times `channels`"""

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "z_dim")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels."""
        return cls(z_dim=8, embedding=4, channels=4, channel_max=8)


@discriminators.register("biggan", paper="1809.11096")
@dataclass(frozen=True, kw_only=True)
class BigGANDiscriminatorConfig(SAGANDiscriminatorConfig):
    """SAGAN's discriminator, wider, from orthogonal weights (Brock et al. 2019, fig. 15); labels by projection."""

    channels: int = 96
    """channels of the maps at half of the image's resolution; twice as many at each halving below"""
    channel_max: int = 1536
    """most channels of a layer; the paper's is 16 times `channels`"""
    attention: int = 64
    """resolution (height) of the maps that attend to themselves, pixels: the nearest of its maps is taken; 0: none"""


@discriminators.register("biggan_deep", paper="1809.11096")
@dataclass(frozen=True, kw_only=True)
class BigGANDeepDiscriminatorConfig(BigGANDiscriminatorConfig):
    """BigGAN's discriminator of twice as many blocks, with bottlenecks (Brock et al. 2019, fig. 16)."""

    channels: int = 256
    """channels of the maps at half of the image's resolution; half as many at the image's, twice at each halving"""
    channel_max: int = 2048
    """most channels of a layer; the paper's is 8 times `channels`"""
