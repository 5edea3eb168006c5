"""Two domains without pairs: each in another order, one epoch as long as the larger one."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import torch

from ggdr.data.base import Batch, Content, DataSet, Images
from ggdr.data.reading.domains.layout import Layout, find_domains, test_split
from ggdr.data.reading.domains.traps import describe_trap
from ggdr.data.reading.indexed import IndexedImages, hash_texts
from ggdr.data.reading.opening import index_images, open_files
from ggdr.data.reading.reader import Reader
from ggdr.errors import UserError, setting
from ggdr.networks.base import ImageSpec
from ggdr.seeding import seed_of

if TYPE_CHECKING:
    from ggdr.data.domains import Domains, TwoDomains
    from ggdr.data.super_resolution import SuperResolution


def open_domains(settings: Domains) -> UnpairedImages:
    """Both domains, opened; UserError, in one sentence, if one has nothing to read, or both are the same."""
    layout = find_domains(settings)
    sets = {name: open_domain(settings, layout, name, n) for n, name in enumerate(layout.names)}
    counts = " and ".join(f"{len(images):,} of {name}" for name, images in sets.items())
    told = (f"images: {counts}, each in another order; an epoch is the longer of them.",)
    return UnpairedImages(sets, told + known_notes(settings, pairs=False))


def known_notes(settings: TwoDomains, pairs: bool) -> tuple[str, ...]:
    """What is to be told of a set as a whole: that there are no images for tests, and what is known of it."""
    known = describe_trap(settings.hub_id(), pairs)
    return known if held_out_known(settings) else (*known, no_test_note(settings))


def held_out_known(settings: TwoDomains) -> bool:
    """Whether there are images for tests, or these are they."""
    return settings.split != "train" or bool(test_split(settings))


def no_test_note(settings: DataSet) -> str:
    """What is said of a set without images for tests."""
    return (
        f"{settings.identity()!r} has no images for tests, so metrics and grids look at those of training;"
        " --data.hold-out 100 keeps some of them for tests."
    )


def open_domain(settings: TwoDomains, layout: Layout, name: str, place: int) -> IndexedImages:
    """The images of one of the domains."""
    files = (layout.a, layout.b)[place]
    reader, notes = open_files(files), list[str]()

    def choose(reader: Reader, items: np.ndarray) -> np.ndarray:
        """Leave out what repeats in a column, and what is held out."""
        kept = drop_repeats(reader, items, notes, f"column {files.image_column!r} ({name})") if layout.rows else items
        return part_of(kept, settings, name)

    images = index_images(reader, files, choose)
    images.notes = (*images.notes, *notes)
    return images


def drop_repeats(reader: Reader, items: np.ndarray, notes: list[str], where: str) -> np.ndarray:
    """The items that are no copy of an earlier one and not empty; `notes` gains a sentence if there are others.

    Two lists of unequal length that share a table repeat the shorter one, or leave its cells empty.
    """
    seen: set[bytes] = set()
    kept = []
    for item in map(int, items):
        data = reader.read(item)
        digest = blake2b(data, digest_size=16).digest()
        if data and digest not in seen:
            seen.add(digest)
            kept.append(item)
    if len(kept) < len(items):
        notes.append(
            f"{len(items) - len(kept):,} of {len(items):,} images of {where} are empty or repeat another one, since the"
            f" table has as many rows as its longer list: they are left out, and {len(kept):,} are read."
        )
    return np.array(kept, int)


def part_of(items: np.ndarray, settings: TwoDomains | SuperResolution, name: str) -> np.ndarray:
    """The items of the part that is read, where `hold_out` keeps some for tests; UserError if none would be left."""
    if not settings.hold_out:
        return items
    if not 0 < settings.hold_out < len(items):
        raise UserError(
            f"{setting('hold_out')} {settings.hold_out}: {name} has {len(items):,} images; give 1 to"
            f" {max(len(items) - 1, 1):,}."
        )
    drawn = np.random.default_rng(0).permutation(len(items))
    chosen = drawn[: settings.hold_out] if settings.split == "test" else drawn[settings.hold_out :]
    return items[np.sort(chosen)]


class UnpairedImages(Images):
    """Sets of images side by side, each with a seed mixed with its name."""

    def __init__(self, sets: Mapping[str, Images], notes: tuple[str, ...] = ()):
        """`sets`: domain -> its images, the one that is to be made last; a reader that cannot fork holds for all."""
        self.sets = dict(sets)
        self.spec = [*self.sets.values()][-1].spec
        self.notes = (*dict.fromkeys(note for images in self.sets.values() for note in images.notes), *notes)

    @property
    def domains(self) -> Mapping[str, ImageSpec]:
        """The spec of each domain."""
        return {name: images.spec for name, images in self.sets.items()}

    def __len__(self) -> int:
        return max(len(images) for images in self.sets.values())

    def count(self, domain: str) -> int:
        """The images of this domain alone."""
        return len(self.sets[domain])

    def at(self, positions: list[int], seed: int) -> Batch:
        """The images of the last domain."""
        return self.domain_batches(positions, seed)[[*self.sets][-1]]

    def domain_batches(self, positions: list[int], seed: int) -> dict[str, Batch]:
        """The images of each domain, in its own order."""
        found = {name: images.at(positions, seed_of("domain", name, seed)) for name, images in self.sets.items()}
        for name, images in self.sets.items():
            self.note({f"{name}: {file}": why for file, why in images.unreadable.items()})
        return found

    def content(self) -> Content:
        """Which images all domains hold."""
        return join_contents(super().content(), {name: images.content() for name, images in self.sets.items()})


def join_contents(whole: Content, each: Mapping[str, Content]) -> Content:
    """What several domains hold, as one: an item's name is that of its domain and its own."""
    revision = " ".join(f"{name} {content.images} {content.revision}" for name, content in each.items())
    labels = " ".join(filter(None, (content.labels for content in each.values())))
    if not all(content.items for content in each.values()):
        return whole._replace(revision=revision, labels=labels)
    keys = each[next(iter(each))].items
    items = {key: torch.cat([content.items[key] for content in each.values()]) for key in keys}
    items["names"] = torch.cat([content.items["names"] ^ hash_texts([name]) for name, content in each.items()])
    return whole._replace(labels=labels, items=items)
