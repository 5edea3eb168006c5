"""An opened map-style data set: pictures and their labels, in the endless order of a seed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import torch

from ggdr.data.base import Batch, Images
from ggdr.data.reading.labels import Labels
from ggdr.data.reading.order import Order
from ggdr.data.reading.pictures import Pictures
from ggdr.data.reading.reader import Unreadable
from ggdr.networks.base import Brief


class Gallery(Images):
    """Pictures, doubled by their mirror images if wished; a readable one stands in for each that is not."""

    def __init__(
        self,
        pictures: Pictures,
        brief: Brief,
        labels: Labels | None = None,
        mirror: bool = False,
        notes: tuple[str, ...] = (),
    ):
        """`labels`: one for each picture, in the same order; None: unconditional. `notes`: what to tell of them."""
        self.pictures, self.labels, self.notes = pictures, labels, notes
        self.brief = brief if labels is None else labels.told_to(brief)
        self.order = Order(len(pictures) * (2 if mirror else 1))

    def __len__(self) -> int:
        return self.order.length

    def at(self, positions: Sequence[int], seed: int) -> Batch:
        items = [divmod(item, len(self.pictures)) for item in self.order(positions, seed)]
        found = [self._readable(index) for _, index in items]
        drawn = [
            array[..., ::-1] if mirrored else array for (mirrored, _), (_, array) in zip(items, found, strict=True)
        ]
        labels = torch.from_numpy(self.labels.rows([index for index, _ in found])) if self.labels else None
        return Batch(torch.from_numpy(np.stack(drawn)), labels)

    def _readable(self, index: int) -> tuple[int, np.ndarray]:
        """The picture at `index`, or the next one that can be read, and where it was found."""
        count = len(self.pictures)
        for candidate in chain(range(index, count), range(index)):
            try:
                return candidate, self.pictures[candidate]
            except Unreadable as bad:
                self.note({bad.name: bad.why})
        raise ValueError(f"none of the {count} images can be read; run `ggdr data check` on the source.")
