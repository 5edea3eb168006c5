"""An opened map-style data set: pictures and their labels, in the endless order of a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from itertools import chain

import numpy as np
import torch

from ggdr.data.base import Batch, Content, Images
from ggdr.data.reading.decoded import ImageSequence
from ggdr.data.reading.jitter import Jitter
from ggdr.data.reading.labels.base import Labels
from ggdr.data.reading.order import Order
from ggdr.data.reading.reader import Reader, Unreadable
from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec


class IndexedImages(Images):
    """Pictures, doubled by their mirror images if wished; a readable one stands in for each that is not."""

    def __init__(
        self,
        pictures: ImageSequence,
        spec: ImageSpec,
        labels: Labels | None = None,
        mirror: bool = False,
        notes: tuple[str, ...] = (),
        source: tuple[Reader, np.ndarray] | None = None,
        jitter: Jitter | None = None,
    ):
        """`labels`: one for each picture, in the same order; None: unconditional. `notes`: what to tell of them.

        `source`: the reader of the pictures, and which of its items they are; None: none. `jitter`: what is done to a
        picture each time it is shown; None: nothing.
        """
        self.pictures, self.labels, self.notes, self.source, self.jitter = pictures, labels, notes, source, jitter
        self.spec = spec if labels is None else labels.add_to(spec)
        self.mirrored, self.order = mirror, Order(len(pictures) * (2 if mirror else 1))

    def __len__(self) -> int:
        return self.order.length

    def at(self, positions: Sequence[int], seed: int) -> Batch:
        """The images at these positions; the next readable one stands in for each that cannot be read."""
        items = [divmod(item, len(self.pictures)) for item in self.order(positions, seed)]
        found = [self._readable(index) for _, index in items]
        drawn = [
            array[..., ::-1] if mirrored else array for (mirrored, _), (_, array) in zip(items, found, strict=True)
        ]
        if self.jitter:
            drawn = [self.jitter(array, seed, place) for array, place in zip(drawn, positions, strict=True)]
        labels = torch.from_numpy(self.labels.rows([index for index, _ in found])) if self.labels else None
        return Batch(torch.from_numpy(np.stack(drawn)), labels)

    def content(self) -> Content:
        """Also a hash of each item's name, size and label, or the version of the source and a hash of all labels."""
        content = super().content()
        if self.source is None:
            return content
        return content_of_items(content, *self.source, self.labels)

    def _readable(self, index: int) -> tuple[int, np.ndarray]:
        """The picture at `index`, or the next one that can be read, and where it was found."""
        return next_readable(self.pictures, index, self.note)


def content_of_items(content: Content, reader: Reader, items: np.ndarray, labels: Labels | None) -> Content:
    """What a data set holds, with what its reader says of each item, or of its source as a whole."""
    texts = ["" if labels is None else labels.describe(index) for index in range(len(items))]
    if not reader.has_fingerprints:
        whole = "" if labels is None else blake2b("\n".join(texts).encode(), digest_size=8).hexdigest()
        return content._replace(revision=reader.revision(), labels=whole)
    names, stamps = zip(*(reader.fingerprint(int(item)) for item in items), strict=True)
    hashes = {"names": hash_texts(names), "stamps": hash_texts(stamps), "labels": hash_texts(texts)}
    return content._replace(items=hashes)


def next_readable(
    pictures: ImageSequence, index: int, note: Callable[[dict[str, str]], None]
) -> tuple[int, np.ndarray]:
    """The picture at `index`, or the next one that can be read, and where it was found; `note` hears of the others.

    UserError if there is none.
    """
    count = len(pictures)
    for candidate in chain(range(index, count), range(index)):
        try:
            return candidate, pictures[candidate]
        except Unreadable as bad:
            note({bad.name: bad.why})
    raise UserError(f"none of the {count} images can be read; run `ggdr data check` on the source.")


def hash_texts(texts: Iterable[str]) -> torch.Tensor:
    """A hash int64 of each text."""
    return torch.tensor(
        [
            int.from_bytes(blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "big", signed=True)
            for text in texts
        ]
    )
