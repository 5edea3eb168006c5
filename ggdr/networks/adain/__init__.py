"""AdaIN style transfer: settings of a decoder behind a frozen encoder (Huang & Belongie 2017, arXiv 1703.06868)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from ggdr.networks.base import TranslatorConfig
from ggdr.networks.stack import IMAGENET, StackSpec, vgg
from ggdr.registry import Capability, generators


@generators.register("adain", paper="1703.06868")
@dataclass(frozen=True, kw_only=True)
class AdaINTranslatorConfig(TranslatorConfig):
    """A frozen encoder, whose maps take the mean and spread of another image's, and a decoder (Huang & Belongie 2017).

    The decoder mirrors the encoder, without normalization (sec. 6.1). In game `stylised` the encoder is the one that
    the game names, with its weights, which are saved with the model; elsewhere its weights are random. Without a style
    an image keeps its own. Labels join the maps that are decoded.
    """

    encoder: tuple[str, ...] = vgg((2, 2, 4, 4, 4)).until("relu4_1").layers
    """layers of the encoder, the image's first, as NAME conv KERNEL/STRIDE CHANNELS, NAME relu, NAME max"""
    mean: tuple[float, ...] = IMAGENET[0]
    """what is subtracted from pixels from 0 to 1 first, of each channel that the encoder sees; none: 0"""
    std: tuple[float, ...] = IMAGENET[1]
    """what they are divided by then; none: 1"""
    provides: ClassVar = frozenset({Capability.G_FEATURES, Capability.FROZEN_ENCODER})

    @classmethod
    def tiny(cls) -> Self:
        """Four to eight channels, one halving, for images of any number of channels."""
        layers = ("conv1_1 conv 3 4", "relu1_1 relu", "pool1 max", "conv2_1 conv 3 8", "relu2_1 relu")
        return cls(encoder=layers, mean=(), std=())

    def encoded_by(self, stack: StackSpec) -> Self:
        """These settings around another encoder."""
        return replace(self, encoder=stack.layers, mean=stack.mean, std=stack.std)
