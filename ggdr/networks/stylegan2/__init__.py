"""StyleGAN2: settings of its generator and discriminator (Karras et al. 2020, arXiv 1912.04958)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from ggdr.errors import UserError, above_zero
from ggdr.networks.base import DiscriminatorConfig, GeneratorConfig
from ggdr.networks.size import LONGEST
from ggdr.registry import Capability, discriminators, generators


def check_smallest(smallest: int) -> None:
    """UserError if a base cannot be asked to have this shorter side."""
    if not 2 <= smallest <= LONGEST:
        raise UserError(f"smallest is {smallest}; give 2 to {LONGEST}, in pixels.")


@generators.register("stylegan2", paper="1912.04958")
@dataclass(frozen=True, kw_only=True)
class StyleGAN2GeneratorConfig(GeneratorConfig):
    """Style-based generator with weight demodulation and summed skip images (Karras et al. 2020, fig. 2 and 7b)."""

    z_dim: int = 512
    """width of the latent code"""
    w_dim: int = 512
    """width of a style code"""
    mapping_layers: int = 8
    """depth of the mapping network (ADA's CIFAR setting: 2)"""
    channel_base: int = 32768
    """channels x resolution of the wide layers; half of it is ADA's setting for 256 px and below"""
    channel_max: int = 512
    """most channels of a layer"""
    smallest: int = 4
    """shorter side of the smallest maps, pixels, where the size allows it; StyleGAN-Human: 2"""
    style_mixing: float = 0.9
    """probability, in training, that the layers from a random one on take a second style"""
    w_avg_beta: float = 0.995
    """share of the mean style, which truncation pulls towards, that a batch leaves as it was"""
    clamp: float | None = None
    """bound of what a layer hands on; published checkpoints trained in float16 have 256"""
    provides: ClassVar = frozenset(
        {
            Capability.G_FEATURES,
            Capability.WS,
            Capability.TRUNCATION,
            Capability.NOISE,
            Capability.NOISE_MAPS,
            Capability.INPUT_MATRICES,
            Capability.RESOLUTION_LAYERS,
            Capability.FORWARD_FROM,
            Capability.STAGES,
        }
    )

    def __post_init__(self) -> None:
        above_zero(self, "z_dim", "w_dim", "mapping_layers", "channel_base", "channel_max", "clamp")
        check_smallest(self.smallest)

    @classmethod
    def tiny(cls) -> Self:
        """Eight channels and a shallow mapping."""
        return cls(z_dim=8, w_dim=8, mapping_layers=2, channel_base=64, channel_max=8)


@discriminators.register("stylegan2", paper="1912.04958")
@dataclass(frozen=True, kw_only=True)
class StyleGAN2DiscriminatorConfig(DiscriminatorConfig):
    """Residual discriminator with minibatch standard deviation (Karras et al. 2020, fig. 7c)."""

    architecture: Literal["resnet", "orig", "skip"] = "resnet"
    """residual blocks, plain blocks (ADA's CIFAR setting), or an image fed to every block"""
    channel_base: int = 32768
    """channels x resolution of the wide layers"""
    channel_max: int = 512
    """most channels of a layer"""
    smallest: int = 4
    """shorter side of the smallest maps, pixels, where the size allows it; StyleGAN-Human: 2"""
    mbstd_group: int | None = 4
    """samples whose variety is shown to it; None: the whole micro-batch"""
    mbstd_channels: int = 1
    """channels that show it; 0 for none"""
    mapping_layers: int = 8
    """depth of the mapping network of the labels"""
    clamp: float | None = None
    """bound of what a layer hands on; published checkpoints trained in float16 have 256"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.LOGIT_FACTORS, Capability.STAGES})

    def __post_init__(self) -> None:
        above_zero(self, "channel_base", "channel_max", "mbstd_group", "mapping_layers", "clamp")
        check_smallest(self.smallest)

    @classmethod
    def tiny(cls) -> Self:
        """Eight channels and a shallow mapping."""
        return cls(channel_base=64, channel_max=8, mapping_layers=2)
