"""Progressive GAN: settings of its generator and discriminator (Karras et al. 2018, arXiv 1710.10196)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero
from ggdr.networks.base import DiscriminatorConfig, GeneratorConfig
from ggdr.registry import Capability, discriminators, generators


@generators.register("progan", paper="1710.10196")
@dataclass(frozen=True, kw_only=True)
class ProGANGeneratorConfig(GeneratorConfig):
    """Pixelwise normalized pairs of convolutions, which the game `progressive` grows (Karras et al. 2018, fig. 1).

    Below its highest level only the blocks in use run, but for feature maps that are asked for, and the image is
    enlarged to its full size. The paper has no labels; here their embedding joins the latent code.
    """

    z_dim: int = 512
    """width of the latent code"""
    channel_base: int = 16384
    """channels x resolution of the wide layers"""
    channel_max: int = 512
    """most channels of a layer"""
    provides: ClassVar = frozenset({Capability.G_FEATURES, Capability.INPUT_MATRICES, Capability.GROW})

    def __post_init__(self) -> None:
        above_zero(self, "z_dim", "channel_base", "channel_max")

    @classmethod
    def tiny(cls) -> Self:
        """Return settings of a network of eight channels."""
        return cls(z_dim=8, channel_base=64, channel_max=8)


@discriminators.register("progan", paper="1710.10196")
@dataclass(frozen=True, kw_only=True)
class ProGANDiscriminatorConfig(DiscriminatorConfig):
    """Pairs of convolutions, minibatch standard deviation; game `progressive` grows it (Karras et al. 2018, fig. 1).

    Below its highest level it averages images down to the size in use; larger maps are zeros. With `blur` it
    is StyleGAN's (arXiv 1812.04948). The paper has no labels; here they judge by projection (arXiv 1802.05637).
    """

    channel_base: int = 16384
    """channels x resolution of the wide layers"""
    channel_max: int = 512
    """most channels of a layer"""
    blur: bool = False
    """halve by a low-pass filter, as StyleGAN does, instead of by averaging"""
    mbstd_group: int | None = None
    """samples whose variety is shown to it; None: the whole micro-batch, as in the paper"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.GROW, Capability.LOGIT_FACTORS})

    def __post_init__(self) -> None:
        above_zero(self, "channel_base", "channel_max", "mbstd_group")

    @classmethod
    def tiny(cls) -> Self:
        """Return settings of a network of eight channels."""
        return cls(channel_base=64, channel_max=8)
