"""Small classifiers as feature networks: what those share that are trained at first use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.features.base import Embedder, Extractor, Features, NamedLayers
from ggdr.features.pixels import gray, resize, rgb
from ggdr.features.trained import Weights, first_layers
from ggdr.features.weights import fingerprint
from ggdr.lazy import Tensor, torch
from ggdr.networks.stack import StackSpec
from ggdr.registry import Capability

SCALE = 4.0
"""divisor of the features, which brings them to the size of Inception's"""


@dataclass(frozen=True, kw_only=True)
class SmallClassifier(Extractor):
    """A small convolutional classifier, whose last hidden layer is the features, and whose first layers have names."""

    batch_size: int = 256
    """number of images in a batch of the network"""
    provides: ClassVar = frozenset({Capability.CLASSES, Capability.SMOOTH, Capability.LAYERS, Capability.PATCHES})
    convolutions: ClassVar[StackSpec]
    """the layers that it begins with"""

    def weights(self) -> Weights:
        """Those in the cache, or of a training now."""
        raise NotImplementedError

    def stack(self) -> StackSpec:
        """The convolutions that the network begins with."""
        return self.convolutions

    def load_layers(self, device: torch.device) -> NamedLayers:
        """The convolutions, trained if the cache does not hold them; MissingPackage without what it is trained on."""
        return first_layers(self.convolutions, self.weights(), device)


class ClassifierEmbedder(Embedder):
    """Computes the last hidden layer of a classifier of images in [0, 1], over SCALE, and its class logits."""

    network: torch.nn.Sequential
    """what makes logits [N, K] of images [N, C, S, S]; its last layer is linear"""

    def __init__(
        self, network: torch.nn.Sequential, state: Weights, device: torch.device, edition: str, side: int, classes: int
    ):
        """Load the weights.

        `edition`: the classifier's name in records. `side`: S, pixels. `classes`: the first logits, which are classes.
        """
        first, last = network[0], network[-1]
        assert isinstance(first, torch.nn.Conv2d) and isinstance(last, torch.nn.Linear)
        network.load_state_dict(state)
        self.network = network.to(device).eval().requires_grad_(False)
        self.side, self.classes, self.colour = side, classes, first.in_channels == 3
        self.weights_hash, self.width = fingerprint(state), last.in_features
        self.protocol = {
            "network": edition,
            "resolution": side,
            "resize": "bilinear, antialiased (torch)",
            "range": f"{'RGB' if self.colour else 'gray'}, 0 to 1",
            "layer": f"last hidden, after SiLU, over {SCALE:g}",
        }

    def __call__(self, images: Tensor) -> Features:
        shown = rgb(images).float() if self.colour else gray(images)
        rows = self.network[:-1](resize(shown, self.side, self.side, "bilinear") / 255)
        return Features(rows / SCALE, self.network[-1](rows)[:, : self.classes])

    def classify(self, rows: Tensor) -> Tensor:
        return self.network[-1](rows * SCALE)[:, : self.classes]
