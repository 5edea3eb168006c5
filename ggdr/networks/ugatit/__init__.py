"""U-GAT-IT: settings of a translator and a discriminator that attend to what tells domains apart (arXiv 1907.10830)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero, not_negative
from ggdr.networks.base import DiscriminatorConfig, TranslatorConfig
from ggdr.registry import Capability, discriminators, generators


@generators.register("ugatit", paper="1907.10830")
@dataclass(frozen=True, kw_only=True)
class UGATITTranslatorConfig(TranslatorConfig):
    """Image to image: attention to what tells domains apart, and normalization that adapts (Kim et al. 2020, sec. 2.1).

    A classifier's weights choose between the encoder's maps; the chosen maps scale and shift adaptive layer-instance
    normalization. The classifier's logits are what the regularizer `cam` trains. Labels join the image as planes.
    """

    channels: int = 64
    """channels of the maps at the image's resolution; twice as many at each halving"""
    blocks: int = 4
    """residual blocks before the attention, and as many after it"""
    halvings: int = 2
    """times that the image is halved before the residual blocks"""
    light: bool = True
    """scale and shift come from the means of maps; else from all of their pixels, by a layer of 268 M weights at 256
    px, as in the paper: then it takes images of one size alone"""
    provides: ClassVar = frozenset({Capability.G_FEATURES, Capability.CAM})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "blocks")
        not_negative(self, "halvings")

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels, one block, one halving."""
        return cls(channels=4, blocks=1, halvings=1)


@discriminators.register("ugatit", paper="1907.10830")
@dataclass(frozen=True, kw_only=True)
class UGATITDiscriminatorConfig(DiscriminatorConfig):
    """Two networks of patches, global and local, each with classifiers and attention (Kim et al. 2020, sec. 2.1.2).

    Its first logits are the global network's; those of its classifier, of the local network and of that one's
    classifier come beside them. The paper's, at 256 px, judges patches of 286 and of 70 px. All weights but those that
    mix maps are spectrally normalized; the published program iterates in each pass (`power_iteration` "pass"). Labels
    by projection.
    """

    channels: int = 64
    """channels after the first halving; twice as many after each layer that follows"""
    halvings: int = 5
    """strided layers of the global network, at most: as many as leave a patch"""
    local_halvings: int = 3
    """strided layers of the local network, at most"""
    provides: ClassVar = frozenset({Capability.PYRAMID})

    def __post_init__(self) -> None:
        above_zero(self, "channels", "halvings", "local_halvings")

    @classmethod
    def tiny(cls) -> Self:
        """Four channels and more, two halvings and one."""
        return cls(channels=4, halvings=2, local_halvings=1)
