"""The numbers of a vector themselves as features, for data that are no images."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.errors import UserError, setting
from ggdr.features.base import Embedder, Extractor, Features
from ggdr.features.weights import fingerprint
from ggdr.lazy import Tensor, torch
from ggdr.registry import extractors


@extractors.register("vectors")
@dataclass(frozen=True, kw_only=True)
class Vectors(Extractor):
    """The numbers themselves, for `--data vectors`: what FID and its kin then compare are the vectors as they are.

    Needs no weights; images have better features.
    """

    def check_images(self, images: Tensor) -> None:
        """Check that images [N, K, 1, 1] are vectors, float32; UserError if they are pixels."""
        if not images.is_floating_point():
            raise UserError(
                "feature extractor 'vectors' compares vectors, and these are images: set"
                f" {setting('extractor')} to pixels, or leave it out."
            )

    def load(self, device: torch.device) -> Embedder:
        """Return the embedder; there is nothing to load."""
        return VectorsEmbedder()


class VectorsEmbedder(Embedder):
    """Lays the numbers of each vector out in a row."""

    def __init__(self):
        self.weights_hash, self.width = fingerprint({}), 0
        self.protocol = {"network": "none", "layer": "the numbers of the vectors themselves"}

    def __call__(self, images: Tensor) -> Features:
        return Features(images.flatten(1))
