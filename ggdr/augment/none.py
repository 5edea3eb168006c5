"""Images as they are."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.augment.base import Augmentation
from ggdr.lazy import Tensor
from ggdr.registry import augmentations


@augmentations.register("none")
@dataclass(frozen=True, kw_only=True)
class NoAugmentation(Augmentation):
    """No augmentation: images as they are."""

    @property
    def acts(self) -> bool:
        return False

    def __call__(self, image: Tensor, maps: dict[int, Tensor]) -> tuple[Tensor, dict[int, Tensor]]:
        return image, maps
