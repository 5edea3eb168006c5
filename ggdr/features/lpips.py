"""LPIPS as a feature extractor: squared distances of its features are the published perceptual distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.errors import UserError, above_zero
from ggdr.features.base import Embedder, Extractor, Features
from ggdr.features.pixels import normalize, resize, rgb
from ggdr.features.timm import model
from ggdr.features.vgg16 import MODEL
from ggdr.features.weights import fingerprint, hub_file, read_weights
from ggdr.lazy import Tensor, optional, torch
from ggdr.registry import Capability, extractors

TAPS = {3: 64, 8: 128, 15: 256, 22: 512, 29: 512}
"""index of the last ReLU before each pooling of VGG-16 -> number of channels there"""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
TINY = 1e-10
"""epsilon added to the norm of a pixel's features before they are divided by it"""
LEAST_PX = 16
"""smallest height and width, pixels: four poolings leave one"""


@extractors.register("lpips", paper="1801.03924")
@dataclass(frozen=True, kw_only=True)
class LPIPS(Extractor):
    """Learned perceptual distance, version 0.1 on VGG-16 (Zhang et al. 2018): |difference of features|^2 is LPIPS.

    Five layers' maps, each pixel's features at unit length, times the roots of the learned weights, over the number
    of pixels. Many features, 31 for each value of a 256 px image: meant for `ppl`, not for distances of large sets.
    """

    batch_size: int = 16
    """number of images in a batch of the network"""
    side_px: int = 256
    """larger images are shrunk to it, as for the published path lengths; 0: never"""
    weights: str | None = None
    """file of VGG-16's weights, timm's or torchvision's; None: from the cache of the Hub, fetched if not there"""
    linear: str | None = None
    """file of the learned weights of its channels; None: from the cache of torch.hub, fetched if not there"""
    provides: ClassVar = frozenset({Capability.SMOOTH})

    def __post_init__(self) -> None:
        above_zero(self, "batch_size")

    def load(self, device: torch.device) -> Embedder:
        """The network; UserError if its weights are not at hand."""
        with optional("evaluate", "LPIPS needs"):
            from torch_fidelity.sample_similarity_lpips import URL_VGG16_LPIPS

        layers = model(MODEL, self.weights).network.get_submodule("features")
        linear = self.linear or str(hub_file(URL_VGG16_LPIPS, "LPIPS' channels", "linear"))
        return LPIPSEmbedder(layers, channel_weights(linear), self.side_px, device)


def channel_weights(path: str) -> list[Tensor]:
    """Read the learned weight of each channel [1, K, 1, 1] of the five layers; UserError if the file holds others."""
    state = read_weights(path)
    names = [f"lin{layer}.model.1.weight" for layer in range(len(TAPS))]
    if [state[name].shape if name in state else None for name in names] != [(1, k, 1, 1) for k in TAPS.values()]:
        raise UserError(f"{path!r} holds no {names[0]}, ... as LPIPS 0.1 for VGG-16 has them; give its file.")
    return [state[name].float().clamp(min=0) for name in names]


class LPIPSEmbedder(Embedder):
    """Computes VGG-16's features at five layers, weighted channel by channel."""

    def __init__(self, layers: torch.nn.Module, channels: list[Tensor], side_px: int, device: torch.device):
        kept = [torch.nn.ReLU() if isinstance(layer, torch.nn.ReLU) else layer for layer in layers.children()]
        self.layers = torch.nn.ModuleList(kept[: max(TAPS) + 1]).to(device).eval()  # no layer changes maps in place
        self.layers.requires_grad_(False)
        self.side_px, self.roots = side_px, [each.sqrt().to(device) for each in channels]
        state = {**self.layers.state_dict(), **{f"lin{i}": each for i, each in enumerate(channels)}}
        self.weights_hash, self.width = fingerprint(state), width(side_px or 256)
        self.protocol = {
            "network": "LPIPS 0.1, VGG-16",
            "resolution": side_px,
            "resize": "bilinear, antialiased (torch), larger images only",
            "range": f"less {list(MEAN)}, over {list(STD)}",
            "layer": "relu1_2, relu2_2, relu3_3, relu4_3, relu5_3",
        }

    def __call__(self, images: Tensor) -> Features:
        x, parts, roots = normalize(self.shrink(rgb(images).float()), MEAN, STD), [], iter(self.roots)
        for place, layer in enumerate(self.layers):
            x = layer(x)
            if place in TAPS:
                maps = x / (x.square().sum(dim=1, keepdim=True).sqrt() + TINY) * next(roots)
                parts.append(maps.flatten(1) / (x.shape[2] * x.shape[3]) ** 0.5)
        return Features(torch.cat(parts, dim=1))

    def shrink(self, images: Tensor) -> Tensor:
        """Images whose longer side is `side_px` at most, and whose shorter is what the network takes at least."""
        longer, shorter = max(images.shape[2:]), min(images.shape[2:])
        scale = min(1.0, self.side_px / longer) if self.side_px else 1.0
        scale = max(scale, LEAST_PX / shorter)
        return resize(images, round(scale * images.shape[2]), round(scale * images.shape[3]), "bilinear")


def width(resolution: int) -> int:
    """Return the number of features of a square image of `resolution` pixels."""
    return sum(channels * (resolution >> level) ** 2 for level, channels in enumerate(TAPS.values()))
