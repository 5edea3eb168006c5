"""CycleGAN's generator: settings of a residual network from images to images (Zhu et al. 2017, arXiv 1703.10593)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from ggdr.errors import above_zero, not_negative
from ggdr.networks.base import TranslatorConfig
from ggdr.networks.dcgan.init import Init
from ggdr.registry import Capability, generators


@generators.register("resnet_translator", paper="1703.10593")
@dataclass(frozen=True, kw_only=True)
class ResnetTranslatorConfig(TranslatorConfig):
    """Image to image: two halvings, residual blocks, two doublings, instance norm (Zhu et al. 2017, app. 7.2).

    The paper's has 9 blocks at 256 px, 11.38 M weights, and 6 at 128 px. What is to be made may be 2, 4, 8 ... times as
    large as what is taken. Labels join the image as planes (arXiv 1711.09020); the layer that reads them is then not
    normalized image by image, which would take them out. With a code, one image has many results (Almahairi et al.
    2018, arXiv 1802.10151).
    """

    channels: int = 64
    """channels of the maps at the image's resolution; twice as many at each halving"""
    blocks: int = 9
    """residual blocks between the halvings and the doublings"""
    halvings: int = 2
    """times that the image is halved before the residual blocks"""
    widenings: int = 0
    """layers before the halvings that keep the size and double the channels, and as many after the doublings that halve
    them: 1 in Augmented CycleGAN, which halves once"""
    z_dim: int = 0
    """width of a latent code that scales and shifts what each normalization gives; 0: it takes none"""
    norm: Literal["instance", "batch"] = "instance"
    """what is normalized after each convolution: each image by itself, as in the paper, or the batch"""
    antialias: bool = False
    """blur before halving and after doubling, as CUT does (arXiv 2007.15651), instead of strided convolutions"""
    init: Init = "normal"
    """how weights begin: "normal", N(0, 0.02), or "xavier", Xavier's with a gain of 0.02, as in CUT"""
    provides: ClassVar = frozenset({Capability.G_FEATURES, Capability.ENCODER_MAPS})

    def __post_init__(self) -> None:
        above_zero(self, "channels")
        not_negative(self, "blocks", "halvings", "widenings", "z_dim")

    def without_code(self) -> Self:
        return replace(self, z_dim=0)

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels, one block, one halving."""
        return cls(channels=4, blocks=1, halvings=1)
