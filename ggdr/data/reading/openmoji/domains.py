"""Emoji in two domains: drawings of the same emoji side by side, or of different ones."""

from __future__ import annotations

from collections.abc import Mapping

from ggdr.data.base import Batch, Content, Images
from ggdr.data.reading.indexed import IndexedImages
from ggdr.networks.base import ImageSpec
from ggdr.seeding import seed_of


class EmojiDomains(Images):
    """Two sets of drawings, in one order if they are pairs, else each in an order of its own."""

    def __init__(self, sets: Mapping[str, IndexedImages], paired: bool):
        """`sets`: domain -> its drawings, those that are to be made last; pairs are of the same emoji in one order."""
        self.sets, self.paired = dict(sets), paired
        self.last = [*self.sets][-1]
        self.spec, self.notes = self.sets[self.last].spec, self.sets[self.last].notes
        self.mirrored = self.sets[self.last].mirrored

    @property
    def domains(self) -> Mapping[str, ImageSpec]:
        """The spec of each domain."""
        return {name: images.spec for name, images in self.sets.items()}

    def __len__(self) -> int:
        return max(len(images) for images in self.sets.values())

    def at(self, positions: list[int], seed: int) -> Batch:
        """The drawings of the last domain."""
        return self.domain_batches(positions, seed)[self.last]

    def domain_batches(self, positions: list[int], seed: int) -> dict[str, Batch]:
        """The drawings of each domain."""
        return {
            name: images.at(positions, seed if self.paired else seed_of("domain", name, seed))
            for name, images in self.sets.items()
        }

    def content(self) -> Content:
        """Also how many drawings each domain has, and the versions of what they are drawn from and by."""
        each = [f"{name} {len(images)} {images.content().revision}" for name, images in self.sets.items()]
        return super().content()._replace(revision=", ".join(each))
