"""Multilayer perceptrons: settings of networks that judge and make vectors (Makhzani et al. 2015, arXiv 1511.05644)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from ggdr.errors import above_zero, not_negative
from ggdr.networks.base import DiscriminatorConfig, EncoderConfig, GeneratorConfig
from ggdr.registry import Capability, discriminators, encoders, generators


@generators.register("mlp", paper="1406.2661")
@dataclass(frozen=True, kw_only=True)
class MLPGeneratorConfig(GeneratorConfig):
    """Fully connected layers from a code and a label to a vector (Goodfellow et al. 2014; Huang et al. 2017, app. A).

    A vector of K numbers is an image of 1 x 1 px with K channels; one of more pixels is laid out from a vector.
    """

    z_dim: int = 50
    """width of the latent code"""
    channels: int = 256
    """width of each layer"""
    layers: int = 2
    """layers before the one that gives the vector"""
    norm: Literal["batch", "none"] = "batch"
    """what is normalized after each layer but the last: the batch, or nothing"""
    activation: Literal["relu", "leaky_relu"] = "relu"
    """after each layer but the last; leaky_relu has a slope of 0.2"""
    label_channels: int = 0
    """width of a linear layer that labels pass first, which leaves out what does not help of a text's embedding (arXiv
    1712.01381); 0: they enter as they are"""
    bounded: bool = False
    """a tanh follows, which images in [-1, 1] ask for; vectors have no bounds"""

    def __post_init__(self) -> None:
        above_zero(self, "z_dim", "channels", "layers")
        not_negative(self, "label_channels")

    @classmethod
    def tiny(cls) -> Self:
        """Two layers of eight."""
        return cls(z_dim=4, channels=8)


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
    labels: Literal["projection", "concat", "none"] = "projection"
    """how labels enter: by an inner product with the last layer (arXiv 1802.05637), as further numbers of the vector
    (arXiv 1411.1784), or not at all"""
    provides: ClassVar = frozenset({Capability.HEADS})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "layers")

    @classmethod
    def tiny(cls) -> Self:
        """Two layers of eight."""
        return cls(channels=8, layers=2)


@encoders.register("mlp", paper="1511.05644")
@dataclass(frozen=True, kw_only=True)
class MLPEncoderConfig(EncoderConfig):
    """Fully connected layers from a vector, or the pixels of a small image, to a code (Makhzani et al. 2015, app. A).

    A vector of K numbers is an image of 1 x 1 px with K channels; of one of more pixels all are read at once, and of
    larger ones than it is built for the mean over all places.
    """

    channels: int = 256
    """width of each layer"""
    layers: int = 2
    """layers before the one that gives the code"""
    norm: Literal["batch", "none"] = "batch"
    """what is normalized after each layer but the last: the batch, or nothing"""
    stochastic: bool = False
    """codes are drawn, of a mean and a variance that it says of each vector; False: the mean is the code"""

    def __post_init__(self) -> None:
        above_zero(self, "channels", "layers", "code_dim")

    @classmethod
    def tiny(cls) -> Self:
        """Two layers of eight."""
        return cls(channels=8, code_dim=3)
