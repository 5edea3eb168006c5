"""Pixels themselves as features, which need no weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.errors import above_zero
from ggdr.features.base import Embedder, Extractor, Features
from ggdr.features.pixels import resize, rgb
from ggdr.features.weights import fingerprint
from ggdr.lazy import F, Tensor, torch
from ggdr.registry import Capability, extractors

LEAST_PX = 8
"""height and width of the coarsest scale, pixels"""


@extractors.register("pixels")
@dataclass(frozen=True, kw_only=True)
class Pixels(Extractor):
    """The image itself at several scales: |difference of features|^2 is the mean squared difference of pixels.

    From `side_px`, to which images are resized, in halves down to 8 px, each scale counting alike, pixels from 0 to 1.
    Needs no weights, and sees no likeness but of colours in their places: `lpips` is nearer to what people see.
    """

    side_px: int = 128
    """height and width of the finest scale, pixels"""
    provides: ClassVar = frozenset({Capability.SMOOTH})

    def __post_init__(self) -> None:
        above_zero(self, "batch_size", "side_px")

    def load(self, device: torch.device) -> Embedder:
        """Return the embedder; there is nothing to load."""
        return PixelsEmbedder(self.side_px)


class PixelsEmbedder(Embedder):
    """Concatenates the pixels of an image at several scales."""

    def __init__(self, side_px: int):
        self.resolutions = [side_px]
        while self.resolutions[-1] >= 2 * LEAST_PX:
            self.resolutions.append(self.resolutions[-1] // 2)
        self.weights_hash, self.width = fingerprint({}), 3 * sum(resolution**2 for resolution in self.resolutions)
        self.protocol = {
            "network": "none",
            "resolution": side_px,
            "resize": "bilinear, antialiased (torch)",
            "range": "0 to 1",
            "layer": f"pixels at the sides {self.resolutions}",
        }

    def __call__(self, images: Tensor) -> Features:
        x, parts = resize(rgb(images).float() / 255, self.resolutions[0], self.resolutions[0], "bilinear"), []
        for resolution in self.resolutions:
            x = x if x.shape[2] == resolution else F.adaptive_avg_pool2d(x, resolution)
            parts.append(x.flatten(1) / (len(self.resolutions) * x[0].numel()) ** 0.5)
        return Features(torch.cat(parts, dim=1))
