"""BigGAN and BigGAN-deep: settings of their generators and discriminators (Brock et al. 2019, arXiv 1809.11096)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.checks import above_zero, not_negative
from ggdr.networks.base import Brief, GeneratorConfig
from ggdr.networks.sagan import SAGANDiscriminator
from ggdr.registry import discriminators, generators

if TYPE_CHECKING:
    from ggdr.network import Discriminator, Generator


@dataclass(frozen=True, kw_only=True)
class Big(GeneratorConfig):
    """What the settings of both generators share."""

    embedding: int = 128
    """width of the class embedding that all blocks share; without labels there is none"""
    channels: int = 96
    """of the maps at the image's side; twice as many at each halving below"""
    channel_max: int = 1536
    """most channels of a layer; the paper's is 16 times `channels`"""
    attention: int = 64
    """side (height) of the maps that attend to themselves, pixels: the nearest above the smallest is taken; 0: none"""
    gives: ClassVar = frozenset({"ws", "g_features", "truncation", "entries"})

    def __post_init__(self) -> None:
        above_zero(self, "embedding", "channels", "channel_max")
        not_negative(self, "attention")


@generators.register("biggan", paper="1809.11096")
@dataclass(frozen=True, kw_only=True)
class BigGANGenerator(Big):
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

    def build(self, brief: Brief) -> Generator:
        """The network, freshly initialised; ValueError if it cannot make images of this size."""
        from ggdr.networks.biggan.generator import BigGenerator

        return BigGenerator(self, brief)


@generators.register("biggan_deep", paper="1809.11096")
@dataclass(frozen=True, kw_only=True)
class BigGANDeepGenerator(Big):
    """BigGAN with bottlenecks and twice the blocks, each steered by class and all of z (Brock et al. 2019, fig. 16).

    z and the embedding are the style code, the same for all; psi scales z towards its mean, which is zero.
    """

    z_dim: int = 128
    """width of the latent code"""
    channels: int = 128
    """of the maps at the image's side; twice as many at each halving below"""
    channel_max: int = 2048
    """most channels of a layer; the paper's is 16 times `channels`"""

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "z_dim")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels."""
        return cls(z_dim=8, embedding=4, channels=4, channel_max=8)

    def build(self, brief: Brief) -> Generator:
        """The network, freshly initialised; ValueError if it cannot make images of this size."""
        from ggdr.networks.biggan.generator import DeepGenerator

        return DeepGenerator(self, brief)


@discriminators.register("biggan", paper="1809.11096")
@dataclass(frozen=True, kw_only=True)
class BigGANDiscriminator(SAGANDiscriminator):
    """SAGAN's discriminator, wider, from orthogonal weights (Brock et al. 2019, fig. 15); labels by projection."""

    channels: int = 96
    """of the maps at half of the image's side; twice as many at each halving below"""
    channel_max: int = 1536
    """most channels of a layer; the paper's is 16 times `channels`"""
    attention: int = 64
    """side (height) of the maps that attend to themselves, pixels: the nearest of its maps is taken; 0: none"""

    def build(self, brief: Brief) -> Discriminator:
        """The network, freshly initialised; ValueError if it cannot judge images of this size."""
        from ggdr.networks.biggan.discriminator import BigDiscriminator

        return BigDiscriminator(self, brief)


@discriminators.register("biggan_deep", paper="1809.11096")
@dataclass(frozen=True, kw_only=True)
class BigGANDeepDiscriminator(BigGANDiscriminator):
    """BigGAN's discriminator of twice as many blocks, with bottlenecks (Brock et al. 2019, fig. 16)."""

    channels: int = 256
    """of the maps at half of the image's side: half as many at the image's, twice as many at each halving below"""
    channel_max: int = 2048
    """most channels of a layer; the paper's is 8 times `channels`"""

    def build(self, brief: Brief) -> Discriminator:
        """The network, freshly initialised; ValueError if it cannot judge images of this size."""
        from ggdr.networks.biggan.discriminator import DeepDiscriminator

        return DeepDiscriminator(self, brief)
