"""What VGG-16 and VGG-19 have in common as feature extractors (Simonyan & Zisserman 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.errors import UserError
from ggdr.features.base import Embedder, Extractor, Features, NamedLayers
from ggdr.features.pixels import rgb
from ggdr.features.timm import TimmEmbedder, TimmModel, create, model, own_weights
from ggdr.features.weights import read_weights
from ggdr.lazy import Tensor, torch
from ggdr.networks.stack import StackSpec, vgg
from ggdr.registry import Capability


@dataclass(frozen=True, kw_only=True)
class VGG(Extractor):
    """The settings of a VGG network of torchvision."""

    weights: str | None = None
    """file of the weights, timm's or torchvision's; None: from the cache of the Hub, fetched (over 500 MB) if not
    there"""
    random: bool = False
    """use random weights, equal each time, of the variance of He et al. 2015: for tests, and for textures"""
    provides: ClassVar = frozenset({Capability.CLASSES, Capability.SMOOTH, Capability.LAYERS, Capability.PATCHES})
    model: ClassVar[str]
    """timm's name of it"""
    convolutions: ClassVar[tuple[int, ...]]
    """convolutions of each block"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.random and self.weights is not None:
            raise UserError("random weights and a file of weights are given; choose one.")

    def load(self, device: torch.device) -> Embedder:
        """The network; UserError if its weights are not at hand."""
        if self.random:
            built = TimmModel(create(self.model, 1000, None, None), self.model, "random, seed 0")
        else:
            built = model(self.model, self.weights, classes=1000)
        return VGGEmbedder(built, device)

    def stack(self) -> StackSpec:
        """The convolutions, up to the last pooling."""
        return vgg(self.convolutions)

    def load_layers(self, device: torch.device) -> NamedLayers:
        """The convolutions with their weights; UserError if they are not at hand, or are another network's."""
        from ggdr.networks.stack.stack import random_stack

        stack = random_stack(self.stack())
        if not self.random:
            path = self.weights or own_weights(self.model)
            try:
                stack.take(read_weights(path), "features.")
            except RuntimeError as error:
                raise UserError(f"{str(path)!r} holds the weights of another network than {self.model}.") from error
        return NamedLayers(stack, device)


class VGGEmbedder(TimmEmbedder):
    """Computes the features before VGG's classifier, and its class logits."""

    def __init__(self, built: TimmModel, device: torch.device):
        super().__init__(built, device)
        self.classifier: torch.nn.Module = built.network.get_submodule("head.fc")

    def __call__(self, images: Tensor) -> Features:
        rows = self.embed(rgb(images).float())
        return Features(rows, self.classifier(rows))

    def classify(self, rows: Tensor) -> Tensor:
        return self.classifier(rows)
