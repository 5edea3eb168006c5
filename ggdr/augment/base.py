"""What every augmentation is: something done to whatever the discriminator sees, and to feature maps along with it."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.lazy import Tensor
from ggdr.registry import augmentations
from ggdr.term import Adaptive


@dataclass(kw_only=True)
class Augmentation(Adaptive):
    """Differentiable, freshly drawn at each call from torch's global generator of the image's device."""

    registry = augmentations

    def __call__(self, image: Tensor, maps: dict[int, Tensor]) -> tuple[Tensor, dict[int, Tensor]]:
        """Augment image [N, C, H, W] in [-1, 1] and move maps (side r -> [N, K, r, r * W / H]) exactly as it moved.

        Only geometry reaches the maps: colour, filtering, noise and cutout are the image's alone.
        """
        raise NotImplementedError
