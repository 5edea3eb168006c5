"""SPADE: settings of a generator of images of label maps (Park et al. 2019, arXiv 1903.07291)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from ggdr.errors import UserError, above_zero, not_negative, setting
from ggdr.networks.base import TranslatorConfig
from ggdr.registry import Capability, generators


@generators.register("spade", paper="1903.07291")
@dataclass(frozen=True, kw_only=True)
class SPADETranslatorConfig(TranslatorConfig):
    """Label map to image: the map scales and shifts all normalization, place by place (Park et al. 2019, sec. 3).

    A code, the same for the whole image, makes the first small maps: drawn, or, with an encoder in game `paired`, that
    of an image whose style is taken. The paper's has seven blocks at 256 px. Labels join the map as planes.
    """

    channels: int = 64
    """channels of the maps at the image's resolution; twice as many at each halving, sixteen times as many at most"""
    z_dim: int = 256
    """width of the code; 0: it takes none, and the first maps are made of the label map, made as small"""
    doublings: int = 6
    """times that maps are doubled, a residual block before and after each, at most: as many as the size allows"""
    hidden: int = 128
    """channels of the layer by which each normalization reads the label map"""
    norm: Literal["batch", "instance"] = "batch"
    """what is normalized: the batch, as in the paper, or each image by itself"""
    spectral: bool = True
    """divide the weights of the residual blocks' convolutions by their spectral norm (arXiv 1802.05957)"""
    spectral_all: bool = False
    """with `spectral`, those of all other layers too, as in the paper, those that read the label map among them; False:
    what the map says has no bound"""
    provides: ClassVar = frozenset({Capability.G_FEATURES})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "doublings", "hidden")
        not_negative(self, "z_dim")
        if self.spectral_all and not self.spectral:
            raise UserError(
                f"{setting('spectral_all')} goes with {setting('spectral')}: set both, or neither for no spectral norm."
            )

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels, one doubling."""
        return cls(channels=4, z_dim=3, doublings=1, hidden=4)
