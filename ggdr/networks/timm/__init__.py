"""Projected GAN: settings of a discriminator on the frozen features of any timm model (arXiv 2111.01007)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

from ggdr.errors import above_zero
from ggdr.lazy import optional
from ggdr.networks.base import DiscriminatorConfig
from ggdr.registry import Capability, discriminators


@discriminators.register("timm", paper="2111.01007")
@dataclass(frozen=True, kw_only=True)
class TimmDiscriminatorConfig(DiscriminatorConfig):
    """A small discriminator on each scale of a frozen network's features, randomly mixed (Sauer et al. 2021, fig. 1).

    The frozen network may be any of timm's that gives feature maps. It is saved with the model, which therefore loads
    without the Hub and exactly as it was.
    """

    model: str = "tf_efficientnet_lite1.in1k"
    """name of timm's model and, after a dot, of its weights; the default is the paper's EfficientNet-Lite1"""
    weights: Literal["pretrained", "random"] = "pretrained"
    """weights of the frozen network: timm's own, from the Hub or its cache, or random; a saved model brings its own"""
    scales: tuple[int, ...] = ()
    """which of its feature maps to judge, counted from the image inwards; none: the last four, as the paper"""
    resolution: int | None = None
    """longer side of the images that it sees, pixels, resized to it; None: as its weights were trained"""
    mixing: Literal["scales", "channels", "none"] = "scales"
    """random 1x1 convolutions and, from the smallest scale up, random 3x3; the former alone; or neither (table 2)"""
    channels: int = 64
    """channels of a scale's own first layer; twice as many at each halving"""
    channel_max: int = 512
    """most channels of a scale's own layers"""
    provides: ClassVar = frozenset({Capability.PYRAMID})

    def __post_init__(self) -> None:
        above_zero(self, "resolution", "channels", "channel_max")

    @classmethod
    def tiny(cls) -> Self:
        """A network of 82 thousand weights, made for tests, random."""
        return cls(model="test_efficientnet", weights="random", resolution=32, channels=4, channel_max=8)

    def described(self) -> Self:
        """Return these settings with random weights: the saved ones replace them, and the Hub is not asked."""
        return replace(self, weights="random")


def library() -> Any:
    """The module timm; MissingPackage if it is not installed."""
    with optional("evaluate", "models of timm need"):
        import timm
        import timm.data
    return timm
