"""Features of VGG-16, which precision and recall were published with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.features.base import Embedder, Extractor, Features
from ggdr.features.pixels import rgb
from ggdr.features.timm import TimmEmbedder, TimmModel, model
from ggdr.lazy import Tensor, torch
from ggdr.registry import Capability, extractors

MODEL = "vgg16.tv_in1k"


@extractors.register("vgg16", paper="1409.1556")
@dataclass(frozen=True, kw_only=True)
class VGG16(Extractor):
    """VGG-16 of torchvision, trained on ImageNet (Simonyan & Zisserman 2015): 4,096 features and 1,000 classes.

    Features are those of the second fully connected layer, after its ReLU.
    """

    weights: str | None = None
    """file of the weights, timm's or torchvision's; None: from the cache of the Hub, fetched (553 MB) if not there"""
    provides: ClassVar = frozenset({Capability.CLASSES, Capability.SMOOTH})

    def load(self, device: torch.device) -> Embedder:
        """The network; UserError if its weights are not at hand."""
        return VGG16Embedder(model(MODEL, self.weights, classes=1000), device)


class VGG16Embedder(TimmEmbedder):
    """Computes the features before VGG-16's classifier, and its class logits."""

    def __init__(self, built: TimmModel, device: torch.device):
        super().__init__(built, device)
        self.classifier: torch.nn.Module = built.network.get_submodule("head.fc")

    def __call__(self, images: Tensor) -> Features:
        rows = self.embed(rgb(images).float())
        return Features(rows, self.classifier(rows))
