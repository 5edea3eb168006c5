"""SAGAN: settings of its generator and discriminator, which attend to themselves (arXiv 1805.08318)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggdr.errors import not_negative
from ggdr.networks.base import ImageSpec
from ggdr.networks.sngan import SNGANDiscriminatorConfig, SNGANGeneratorConfig
from ggdr.registry import discriminators, generators

if TYPE_CHECKING:
    from ggdr.networks.base.module import Discriminator, Generator


@generators.register("sagan", paper="1805.08318")
@dataclass(frozen=True, kw_only=True)
class SAGANGeneratorConfig(SNGANGeneratorConfig):
    """SNGAN's generator with spectral normalization and a self-attention layer (Zhang et al. 2019, sec. 3 and 4)."""

    attention: int = 32
    """side (height) of the maps that attend to themselves, pixels: the nearest above the smallest is taken; 0: none"""

    def __post_init__(self) -> None:
        super().__post_init__()
        not_negative(self, "attention")

    def build(self, spec: ImageSpec) -> Generator:
        """The network, freshly initialised; UserError if it cannot make images of this size."""
        from ggdr.networks.sagan.generator import SAGANGenerator

        return SAGANGenerator(self, spec)


@discriminators.register("sagan", paper="1805.08318")
@dataclass(frozen=True, kw_only=True)
class SAGANDiscriminatorConfig(SNGANDiscriminatorConfig):
    """SNGAN's discriminator with a self-attention layer (Zhang et al. 2019, sec. 3); labels by projection."""

    attention: int = 32
    """side (height) of the maps that attend to themselves, pixels: the nearest of its maps is taken; 0: none"""

    def __post_init__(self) -> None:
        super().__post_init__()
        not_negative(self, "attention")

    def build(self, spec: ImageSpec) -> Discriminator:
        """The network, freshly initialised; UserError if it cannot judge images of this size."""
        from ggdr.networks.sagan.discriminator import SAGANDiscriminator

        return SAGANDiscriminator(self, spec)
