"""The base classes of feature extractors: settings that are listed without torch, and the network they load."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ggdr.errors import UserError, above_zero, setting
from ggdr.features.pixels import rgb
from ggdr.lazy import Tensor, torch
from ggdr.networks.stack import StackSpec
from ggdr.registry import Capability, Part, discover, extractors

if TYPE_CHECKING:
    from ggdr.networks.stack.stack import Stack


class Features(NamedTuple):
    """The output of a feature network for a batch of images."""

    rows: Tensor
    """features [N, D] float32"""
    logits: Tensor | None = None
    """class logits [N, K] float32, before the softmax; None: the extractor gives none"""


class FeatureStatistics(NamedTuple):
    """Mean and covariance of the features of real images, which themselves may be absent."""

    mean: Tensor
    """mean [D] float64, on the host"""
    covariance: Tensor
    """covariance [D, D] float64, on the host"""
    names: tuple[str, ...]
    """names of the two arrays in their file"""
    content: str
    """sha256 of both arrays, in hex"""
    alone: bool
    """whether the data holds no images beside them"""


class Embedder:
    """A loaded feature network; a subclass sets the three attributes and writes `__call__`."""

    weights_hash: str
    """first 16 hex digits of the sha256 of its weights"""
    protocol: dict[str, str | int]
    """how it sees images: resolution in pixels, resize filter, range, layer, library and version"""
    width: int
    """number of features, D; 0: as many as an image has numbers"""

    def __call__(self, images: Tensor) -> Features:
        """Compute features of images [N, C, H, W] uint8 on the network's device, of any size and 1, 3 or 4 channels.

        An image's features do not depend on its batch-mates. One that provides SMOOTH also takes float32 images in
        [0, 255], which it does not round: images that hardly differ have features that hardly do, and gradients pass.
        """
        raise NotImplementedError

    def classify(self, rows: Tensor) -> Tensor:
        """Compute class logits [N, K] of features [N, D], of one that provides CLASSES and SMOOTH; gradients pass."""
        raise NotImplementedError


class NamedLayers:
    """The maps of a feature network's layers, by their names."""

    def __init__(self, stack: Stack, device: torch.device):
        self.stack = stack.to(device)

    def __call__(self, images: Tensor, names: Collection[str]) -> dict[str, Tensor]:
        """Maps [N, K, h, w] of images [N, C, H, W] in [0, 255], uint8 or float32, of 1, 3 or 4 channels and any size.

        Images keep their size, and gradients pass to them. UserError if no layer has one of these names.
        """
        return self.stack(rgb(images).float() / 255, names)


class Patches(NamedTuple):
    """What a feature network says of images and of their parts."""

    whole: Tensor
    """[N, K], of the whole image"""
    parts: Tensor
    """[N, K, h, w], of each part"""


class PatchEmbedder:
    """A loaded feature network that tells the parts of an image apart; a subclass writes `__call__`."""

    def __call__(self, images: Tensor) -> Patches:
        """Compute features of images [N, C, H, W] float32 in [0, 255], of 1, 3 or 4 channels and any size."""
        raise NotImplementedError


class LastLayer(PatchEmbedder):
    """The last of a stack's maps, and its mean."""

    def __init__(self, layers: NamedLayers, name: str):
        self.layers, self.name = layers, name

    def __call__(self, images: Tensor) -> Patches:
        maps = self.layers(images, [self.name])[self.name]
        return Patches(maps.mean(dim=(2, 3)), maps)


@dataclass(frozen=True, kw_only=True)
class Extractor(Part):
    """The settings of a feature extractor."""

    registry = extractors

    batch_size: int = 64
    """number of images in a batch of the network"""

    def __post_init__(self) -> None:
        above_zero(self, "batch_size")

    def load(self, device: torch.device) -> Embedder:
        """Load the network in evaluation mode; UserError if its weights are not at hand.

        The message says which file is missing, where to put it, and what works meanwhile.
        """
        raise NotImplementedError

    def check_images(self, images: Tensor) -> None:
        """UserError if it cannot see such images [N, C, H, W], as data sets hold them."""
        if images.is_floating_point():
            raise UserError(
                f"feature extractor {self.name!r} sees images, and these are vectors of {images[0].numel()} numbers:"
                f" set {setting('extractor')} to vectors, which compares the numbers themselves."
            )
        rgb(images)

    def stack(self) -> StackSpec:
        """The layers whose maps have names, known without weights; of one that provides LAYERS."""
        raise NotImplementedError

    def load_layers(self, device: torch.device) -> NamedLayers:
        """These layers with their weights, frozen; of one that provides LAYERS. UserError as of `load`."""
        raise NotImplementedError

    def patch_width(self) -> int:
        """The number of features of each part, known without weights; of one that provides PATCHES.

        Here, and in `load_patches`, those of one that provides LAYERS as well: its last map is of parts.
        """
        return self.stack().channels()[-1]

    def load_patches(self, device: torch.device) -> PatchEmbedder:
        """The network that tells parts apart, frozen; of one that provides PATCHES. UserError as of `load`."""
        return LastLayer(self.load_layers(device), self.stack().names()[-1])

    def check_provides(self, capability: Capability) -> None:
        """UserError about the setting `extractor`, naming those that do, if it does not provide a capability."""
        if capability not in self.provides:
            discover()
            able = sorted(name for name, part in extractors.items() if capability in part.provides)
            raise UserError(
                f"feature extractor {self.name!r} provides no {capability.value}: set {setting('extractor')} to"
                f" {', '.join(able)}."
            )
