"""What every network is: settings that can be listed without torch, and a brief that says what to build for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

from ggdr.lazy import Tensor
from ggdr.registry import Part, discriminators, generators

if TYPE_CHECKING:
    from ggdr.networks.base.module import Discriminator, Generator


class Head(NamedTuple):
    """A small network on a discriminator's last maps, beside its logit."""

    outputs: int
    """numbers it says of an image"""
    hidden: int = 0
    """width of a layer between; 0: none, it is linear"""
    detached: bool = False
    """while it learns, what lies below it does not learn from it"""


class ImageSpec(NamedTuple):
    """What a network is built for; it comes from the data set and the terms, once."""

    height: int
    """image height, pixels"""
    width: int
    """image width, pixels"""
    channels: int = 3
    """image channels: 1 gray, 3 RGB, 4 RGBA, or any other number"""
    labels: int = 0
    """width of the label vector; 0: unconditional"""
    guide: dict[int, int] = {}
    """side (height in pixels) -> channels of the generator's feature maps that a decoder is to redraw"""
    heads: dict[str, Head] = {}
    """name -> what terms ask of the discriminator beside its logit"""
    w_dim: int = 0
    """width of the generator's style codes, for a discriminator that writes some; 0: it has none"""
    label_names: tuple[str, ...] = ()
    """names of the label vector's entries: of classes, or of attributes; empty: they are not known"""
    label_ranges: tuple[tuple[float, float], ...] = ()
    """least and greatest value of each entry among the data; empty: label vectors are one-hot, an entry a class"""


class GeneratorOutput(NamedTuple):
    """What a generator hands over."""

    image: Tensor
    """[N, C, H, W] in [-1, 1]"""
    ws: Tensor | None = None
    """[N, L, W] style codes, the very tensor the image was made from"""
    features: dict[int, Tensor] = {}
    """side r (height in pixels) -> [N, K, r, r * W / H]"""
    scales: dict[int, Tensor] = {}
    """side r -> [N, C, r, r * W / H], the same images at smaller sizes, of a generator that makes them itself"""


class DiscriminatorOutput(NamedTuple):
    """What a discriminator says of a batch of images."""

    logits: Tensor
    """[N] or [N, heads], higher is more real"""
    features: dict[int, Tensor] = {}
    """side r -> [N, K, r, r * W / H], drawn by its decoder"""
    guide: dict[int, Tensor] = {}
    """the generator's features, moved exactly as the image was before it was judged"""
    maps: dict[int, Tensor] = {}
    """side r -> [N, K, r, r * W / H], of its encoder, where its config provides PYRAMID, up to half of the image"""
    head_outputs: dict[str, Tensor] = {}
    """name -> [N, outputs], of its heads"""
    pixel_logits: Tensor | None = None
    """[N, 1, H, W], of each pixel, higher is more real, where its config provides PIXEL_LOGITS; None elsewhere"""
    image: Tensor | None = None
    """[N, C, H, W] what it judged, in a duel: augmented"""


class Reconstruction(NamedTuple):
    """A picture that a discriminator drew from its maps of an image."""

    drawn: Tensor
    """[N, C, h, w] about [-1, 1]"""
    true: Tensor
    """[N, C, h, w] in [-1, 1], what it is to be"""


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(Part):
    """The settings of a network."""

    @classmethod
    def tiny(cls) -> Self:
        """The smallest settings worth testing: the shared tests build every registered network with them."""
        return cls()

    def described(self) -> Self:
        """The settings as they stand beside saved weights: what is built from them fetches nothing."""
        return self


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig(NetworkConfig):
    """The settings of a generator."""

    registry = generators

    def build(self, spec: ImageSpec) -> Generator:
        """The network, freshly initialised; UserError if it cannot make such images."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig(NetworkConfig):
    """The settings of a discriminator."""

    registry = discriminators

    def build(self, spec: ImageSpec) -> Discriminator:
        """The network, freshly initialised; UserError if it cannot judge such images."""
        raise NotImplementedError
