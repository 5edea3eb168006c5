"""U-Net discriminator: settings of a decoder over any encoder that gives its pyramid (arXiv 2002.12655, 2207.13320)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from ggdr.networks.base import DiscriminatorConfig
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig
from ggdr.networks.wrappers import WrapperConfig
from ggdr.registry import Capability, discriminators


@discriminators.register("unet", paper="2207.13320")
@dataclass(frozen=True, kw_only=True)
class UNetDiscriminatorConfig(WrapperConfig):
    """Any discriminator that gives its pyramid, with a decoder that redraws feature maps (Lee et al. 2022, fig. 3).

    It also carries the heads that terms ask for, such as a classifier's. Where one asks for the class of each pixel,
    the decoder goes on to the whole image.
    """

    encoder: DiscriminatorConfig = StyleGAN2DiscriminatorConfig()
    """the discriminator that judges, and whose maps the decoder starts from"""
    kernel: Literal[1, 3] = 1
    """width of the decoder's convolutions, pixels"""
    activation: Literal["linear", "lrelu"] = "linear"
    """after each of the decoder's convolutions"""
    provides: ClassVar = frozenset(
        {Capability.D_FEATURES, Capability.PYRAMID, Capability.HEADS, Capability.CLASS_LOGITS}
    )

    @classmethod
    def tiny(cls) -> Self:
        """Over a tiny StyleGAN2 discriminator."""
        return cls(encoder=StyleGAN2DiscriminatorConfig.tiny())
