"""Multilayer perceptron: settings of a discriminator of vectors, such as codes (Makhzani et al. 2015, 1511.05644)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from ggdr.errors import above_zero
from ggdr.networks.base import DiscriminatorConfig
from ggdr.registry import discriminators


@discriminators.register("mlp", paper="1511.05644")
@dataclass(frozen=True, kw_only=True)
class MLPDiscriminatorConfig(DiscriminatorConfig):
    """Fully connected layers that judge codes (Makhzani et al. 2015, sec. 2; Almahairi et al. 2018, arXiv 1802.10151).

    A vector of K numbers is an image of 1 x 1 px with K channels; one of more pixels is taken as a vector.
    """

    channels: int = 64
    """width of each layer"""
    layers: int = 3
    """layers before the one that gives the logit"""
    norm: Literal["batch", "none"] = "none"
    """what is normalized after each layer but the last: the batch, which hides from D how wide codes are spread, or
    nothing"""
    labels: Literal["projection", "concat"] = "projection"
    """how labels enter: by an inner product with the last layer (arXiv 1802.05637), or as further numbers of the vector
    (arXiv 1411.1784)"""

    def __post_init__(self) -> None:
        above_zero(self, "channels", "layers")

    @classmethod
    def tiny(cls) -> Self:
        """Two layers of eight."""
        return cls(channels=8, layers=2)
