"""MSG-GAN: settings of its generator and discriminator (Karnewar & Wang 2020, arXiv 1903.06048)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from ggdr.errors import above_zero
from ggdr.networks.base import DiscriminatorConfig, GeneratorConfig
from ggdr.registry import Capability, discriminators, generators


@generators.register("msg_gan", paper="1903.06048")
@dataclass(frozen=True, kw_only=True)
class MSGGANGeneratorConfig(GeneratorConfig):
    """Progressive GAN's generator that makes its image at every size at once (Karnewar & Wang 2020, fig. 2).

    The smaller ones are for discriminator `msg_gan`; another sees the largest alone. It does not grow. The paper has no
    labels; here their embedding joins the latent code.
    """

    z_dim: int = 512
    """width of the latent code"""
    channel_base: int = 16384
    """channels x resolution of the wide layers"""
    channel_max: int = 512
    """most channels of a layer"""
    provides: ClassVar = frozenset({Capability.G_FEATURES, Capability.INPUT_MATRICES, Capability.SCALES})

    def __post_init__(self) -> None:
        above_zero(self, "z_dim", "channel_base", "channel_max")

    @classmethod
    def tiny(cls) -> Self:
        """Return settings of a network of eight channels."""
        return cls(z_dim=8, channel_base=64, channel_max=8)


@discriminators.register("msg_gan", paper="1903.06048")
@dataclass(frozen=True, kw_only=True)
class MSGGANDiscriminatorConfig(DiscriminatorConfig):
    """Progressive GAN's discriminator, into which an image of each size enters (Karnewar & Wang 2020, fig. 2).

    Fakes come at all sizes from generator `msg_gan`; of an image alone (reals, what lies between reals and fakes, other
    generators' fakes) it makes the smaller ones by averaging. Terms that differentiate with respect to fakes therefore
    see the largest one alone. It cannot be augmented beside that generator. The paper has no labels; here they judge
    by projection (arXiv 1802.05637).
    """

    channel_base: int = 16384
    """channels x resolution of the wide layers"""
    channel_max: int = 512
    """most channels of a layer"""
    combine: Literal["simple", "lin_cat", "cat_lin"] = "simple"
    """how an image joins the maps: beside them, through its own layer, or both through one (sec. 2.1)"""
    mbstd_group: int | None = None
    """samples whose variety is shown to each block; None: the whole micro-batch"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.SCALES, Capability.LOGIT_FACTORS})

    def __post_init__(self) -> None:
        above_zero(self, "channel_base", "channel_max", "mbstd_group")

    @classmethod
    def tiny(cls) -> Self:
        """Return settings of a network of eight channels."""
        return cls(channel_base=64, channel_max=8)
