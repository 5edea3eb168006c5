"""The base classes of feature extractors: settings that are listed without torch, and the network they load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ggdr.errors import above_zero
from ggdr.lazy import Tensor, torch
from ggdr.registry import Part, extractors


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
    """number of features, D"""

    def __call__(self, images: Tensor) -> Features:
        """Compute features of images [N, C, H, W] uint8 on the network's device, of any size and 1, 3 or 4 channels.

        An image's features do not depend on its batch-mates. One that provides SMOOTH also takes float32 images in
        [0, 255], which it does not round: images that hardly differ have features that hardly do, and gradients pass.
        """
        raise NotImplementedError


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
