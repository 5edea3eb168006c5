"""What every feature extractor is: settings that can be listed without torch, and the network they load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ggdr.errors import above_zero
from ggdr.lazy import Tensor, torch
from ggdr.registry import Part, extractors


class Features(NamedTuple):
    """What a feature network says of a batch of images."""

    rows: Tensor
    """[N, D] float32"""
    logits: Tensor | None = None
    """[N, K] float32, classes before the softmax, where the extractor gives them"""


class FeatureStatistics(NamedTuple):
    """What is known of the features of real images that need not be at hand."""

    mean: Tensor
    """[D] float64, on the host"""
    covariance: Tensor
    """[D, D] float64"""
    names: tuple[str, ...]
    """what the two are called where they are kept"""
    content: str
    """sha256 of both, in hex"""
    alone: bool
    """there are no images beside them"""


class Embedder:
    """A loaded feature network. A subclass sets the three attributes and writes `__call__`."""

    weights_hash: str
    """sha256 of its weights, the first 16 hex digits"""
    protocol: dict[str, str | int]
    """how images are brought to it: side in pixels, resize filter, range, layer, library and version"""
    width: int
    """D, the number of features"""

    def __call__(self, images: Tensor) -> Features:
        """images [N, C, H, W] uint8 on the network's device, of any size and 1, 3 or 4 channels, to features.

        An image's features do not depend on its batch-mates. One that provides SMOOTH also takes float32 images in
        [0, 255], which it does not round: images that hardly differ have features that hardly do, and gradients pass.
        """
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Extractor(Part):
    """The settings of a feature extractor."""

    registry = extractors

    batch_size: int = 64
    """images that pass it at once"""

    def __post_init__(self) -> None:
        above_zero(self, "batch_size")

    def load(self, device: torch.device) -> Embedder:
        """The network, in evaluation; UserError if its weights are not at hand.

        The message says which file is missing, where to put it, and what works meanwhile.
        """
        raise NotImplementedError
