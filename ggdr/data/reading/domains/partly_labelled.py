"""Opened images of which few have labels: the labelled ones are kept in memory, the others are read as ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from ggdr.data.base import Batch, Content, Images
from ggdr.data.reading.order import Order
from ggdr.errors import UserError, setting
from ggdr.networks.base import ImageSpec

if TYPE_CHECKING:
    from ggdr.data.semi_supervised import SemiSupervised

LABELLED, UNLABELLED = "labelled", "unlabelled"
CHUNK = 256
"""images that are looked at together"""


class PartlyLabelled(Images):
    """Two domains of the same images: some with their labels, and all without."""

    def __init__(self, images: Images, labelled: Batch):
        self.images, self.labelled, self.order = images, labelled, Order(len(labelled.images))
        self.spec, self.mirrored, self.notes = images.spec.unlabelled(), images.mirrored, images.notes

    @property
    def domains(self) -> Mapping[str, ImageSpec]:
        return {LABELLED: self.images.spec, UNLABELLED: self.spec}

    def __len__(self) -> int:
        return len(self.images)

    def count(self, domain: str) -> int:
        return self.order.length if domain == LABELLED else len(self)

    def at(self, positions: list[int], seed: int) -> Batch:
        return Batch(self.images.at(positions, seed).images)

    def domain_batches(self, positions: list[int], seed: int) -> dict[str, Batch]:
        chosen = self.order(positions, seed)
        assert self.labelled.labels is not None
        labelled = Batch(self.labelled.images[chosen], self.labelled.labels[chosen])
        return {LABELLED: labelled, UNLABELLED: self.at(positions, seed)}

    def content(self) -> Content:
        return self.images.content()


def open_partly_labelled(settings: SemiSupervised) -> PartlyLabelled:
    """Draw the images that keep their labels; UserError if there are no classes, or too few images of one."""
    images = settings.images.open()
    spec, count = images.spec, settings.labelled or len(images)
    if len(images.domains) > 1 or not spec.labels or spec.label_ranges:
        raise UserError(
            "semi_supervised takes images of one kind with labels of classes, and these have"
            f" {'several domains' if len(images.domains) > 1 else 'none'}: add {setting('images.labels')}."
        )
    each, rest = divmod(count, spec.labels)
    if settings.labelled and (rest or not each):
        raise UserError(
            f"{setting('labelled')} is {count}, and there are {spec.labels} classes, of which as many images each are"
            f" drawn: give a multiple of {spec.labels}, or 0 for all images."
        )
    return PartlyLabelled(images, drawn(images, settings, each if settings.labelled else len(images)))


def drawn(images: Images, settings: SemiSupervised, each: int) -> Batch:
    """The first images of each class in the order of the settings' seed, `each` of a class, and their labels."""
    kept: list[Batch] = []
    seen: Counter[int] = Counter()
    for first in range(0, len(images), CHUNK):
        batch = images.at(list(range(first, min(first + CHUNK, len(images)))), settings.label_seed)
        assert batch.labels is not None
        chosen = []
        for place, number in enumerate(batch.labels.argmax(dim=1).tolist()):
            seen[number] += 1
            chosen += [place] if seen[number] <= each else []
        kept.append(Batch(batch.images[chosen], batch.labels[chosen]))
        if all(seen[number] >= each for number in range(images.spec.labels)):
            break
    short = [number for number in range(images.spec.labels) if seen[number] < each]
    if settings.labelled and short:
        raise UserError(
            f"{setting('labelled')} is {settings.labelled}, {each} of a class, and class {short[0]} has"
            f" {seen[short[0]]}: give {min(seen.values(), default=0) * images.spec.labels} or fewer."
        )
    labels = [batch.labels for batch in kept if batch.labels is not None]
    return Batch(torch.cat([batch.images for batch in kept]), torch.cat(labels))
