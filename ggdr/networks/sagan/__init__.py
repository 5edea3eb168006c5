"""SAGAN: settings of its generator and discriminator, which attend to themselves (arXiv 1805.08318)."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.errors import not_negative
from ggdr.networks.sngan import SNGANDiscriminatorConfig, SNGANGeneratorConfig
from ggdr.registry import discriminators, generators


@generators.register("sagan", paper="1805.08318")
@dataclass(frozen=True, kw_only=True)
class SAGANGeneratorConfig(SNGANGeneratorConfig):
    """SNGAN's generator with spectral normalization and a self-attention layer (Zhang et al. 2019, sec. 3 and 4)."""

    attention: int = 32
    """resolution of the maps that attend to themselves, pixels: the nearest above the smallest is taken; 0: none"""

    def __post_init__(self) -> None:
        super().__post_init__()
        not_negative(self, "attention")


@discriminators.register("sagan", paper="1805.08318")
@dataclass(frozen=True, kw_only=True)
class SAGANDiscriminatorConfig(SNGANDiscriminatorConfig):
    """SNGAN's discriminator with a self-attention layer (Zhang et al. 2019, sec. 3); labels by projection."""

    attention: int = 32
    """resolution (height) of the maps that attend to themselves, pixels: the nearest of its maps is taken; 0: none"""

    def __post_init__(self) -> None:
        super().__post_init__()
        not_negative(self, "attention")
