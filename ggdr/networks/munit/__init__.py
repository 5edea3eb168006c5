"""MUNIT: settings of a translator that parts an image into content and style (Huang et al. 2018, arXiv 1804.04732)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero, not_negative
from ggdr.networks.base import TranslatorConfig
from ggdr.registry import Capability, generators


@generators.register("munit", paper="1804.04732")
@dataclass(frozen=True, kw_only=True)
class MUNITTranslatorConfig(TranslatorConfig):
    """Content of one image and a style code to an image: two encoders and a decoder (Huang et al. 2018, app. B).

    The content encoder's maps keep where things are, without their contrast; the style code, a few numbers ~ N(0, 1),
    scales and shifts the decoder's maps by adaptive instance normalization. In game `multimodal` it is the autoencoder
    of a domain, of which others decode the content; in `paired` and `unpaired` it is a translator that takes a style.
    Labels join the style code.
    """

    channels: int = 64
    """channels of the maps at the image's resolution; twice as many at each halving"""
    z_dim: int = 8
    """width of the style code"""
    blocks: int = 4
    """residual blocks of the content encoder, and of the decoder"""
    halvings: int = 2
    """times that the content is smaller than the image, in doublings"""
    style_halvings: int = 4
    """halvings of the style encoder, at most, before the mean over all places; the third and later add no channels"""
    mlp_channels: int = 256
    """width of the two layers between the style code and what it scales"""
    provides: ClassVar = frozenset({Capability.G_FEATURES, Capability.CONTENT_STYLE})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "z_dim", "blocks", "mlp_channels")
        not_negative(self, "halvings", "style_halvings")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels, one block, one halving."""
        return cls(channels=4, z_dim=3, blocks=1, halvings=1, style_halvings=2, mlp_channels=8)
