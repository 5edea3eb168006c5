"""StyleGAN: settings of its generator (Karras et al. 2019, arXiv 1812.04948); its discriminator is `progan`'s."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero
from ggdr.networks.base import GeneratorConfig
from ggdr.registry import Capability, generators


@generators.register("stylegan", paper="1812.04948")
@dataclass(frozen=True, kw_only=True)
class StyleGANGeneratorConfig(GeneratorConfig):
    """Style-based generator with adaptive instance normalization and noise (Karras et al. 2019, fig. 1b).

    Its discriminator is `progan` with `blur`. It grows by the game `progressive` (the paper starts at 8 px) and plays
    at full size without. The paper has no labels; here their embedding joins the latent code.
    """

    z_dim: int = 512
    """width of the latent code"""
    w_dim: int = 512
    """width of a style code"""
    mapping_layers: int = 8
    """depth of the mapping network"""
    channel_base: int = 16384
    """channels x resolution of the wide layers"""
    channel_max: int = 512
    """most channels of a layer"""
    style_mixing: float = 0.9
    """probability, in training, that the layers from a random one on take a second style"""
    w_avg_beta: float = 0.995
    """share of the mean style, which truncation pulls towards, that a batch leaves as it was"""
    provides: ClassVar = frozenset(
        {
            Capability.G_FEATURES,
            Capability.WS,
            Capability.TRUNCATION,
            Capability.NOISE,
            Capability.NOISE_MAPS,
            Capability.INPUT_MATRICES,
            Capability.RESOLUTION_LAYERS,
            Capability.GROW,
        }
    )

    def __post_init__(self) -> None:
        above_zero(self, "z_dim", "w_dim", "mapping_layers", "channel_base", "channel_max")

    @classmethod
    def tiny(cls) -> Self:
        """Eight channels and a shallow mapping."""
        return cls(z_dim=8, w_dim=8, mapping_layers=2, channel_base=64, channel_max=8)
