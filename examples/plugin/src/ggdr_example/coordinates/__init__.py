"""Coordinates: settings of a generator that makes each pixel by itself (arXiv 2011.13775)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero
from ggdr.networks.base import GeneratorConfig
from ggdr.registry import Capability, generators


@generators.register("coordinates", paper="2011.13775")
@dataclass(frozen=True, kw_only=True)
class CoordinatesGeneratorConfig(GeneratorConfig):
    """Each pixel by itself, from its place and a latent code, without convolutions (after Anokhin et al. 2021, sec. 3).

    Labels join the latent code. GGDR reads its last maps, which have the image's size.
    """

    z_dim: int = 64
    """width of the latent code"""
    channels: int = 64
    """width of each layer"""
    layers: int = 4
    """layers between a pixel's place and its colour"""
    frequencies: int = 64
    """waves by which the network sees a place"""
    provides: ClassVar = frozenset({Capability.G_FEATURES})

    def __post_init__(self) -> None:
        above_zero(self, "z_dim", "channels", "layers", "frequencies")

    @classmethod
    def tiny(cls) -> Self:
        """Two layers of eight."""
        return cls(z_dim=8, channels=8, layers=2, frequencies=8)
