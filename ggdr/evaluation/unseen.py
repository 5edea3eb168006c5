"""Real images of which nothing is at hand but the statistics of their features."""

from __future__ import annotations

from ggdr.data.base import Batch, Images
from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec


class Unseen(Images):
    """No images; metrics that look at some are refused before they ask."""

    spec = ImageSpec(0, 0, 0, 0)

    def __len__(self) -> int:
        return 0

    def at(self, positions: list[int], seed: int) -> Batch:
        raise UserError("the data holds statistics of images and no images; give images by --data.")
