"""From the settings of OpenMoji to the opened data set: which emoji, drawn how, with which labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ggdr.data.base import Batch, Content, Images
from ggdr.data.reading.domains.unpaired import UnpairedImages
from ggdr.data.reading.indexed import IndexedImages
from ggdr.data.reading.labels.base import Labels, class_labels, vector_labels
from ggdr.data.reading.labels.text import text_labels
from ggdr.data.reading.opening import select_subset
from ggdr.errors import UserError, setting
from ggdr.networks.base import ImageSpec
from ggdr.openmoji.code_points import GROUPS, PARTS, TONES, description, group, part, tone
from ggdr.openmoji.drawings import Drawings, emoji_files, made_by, over_white
from ggdr.openmoji.layers import CLASSES

if TYPE_CHECKING:
    from ggdr.data.openmoji import OpenMoji

Show = Callable[[np.ndarray], np.ndarray]
"""a drawing uint8 [C, H, W] to what is shown of it"""
LEAST, MOST = 8, 512
"""sizes at which emoji are drawn, pixels; 4,495 of 512 take 5 GB of disk"""
SMALLER = 4
"""times that the small pictures of super-resolution are smaller"""
TRAIN = range(PARTS - 1)
"""parts of the drawings to learn from; the last one is held out"""
INPUTS = {"lines_to_colour": "lines", "unpaired": "lines", "label_map": "map", "super_resolution": "small"}
"""task -> the domain that colour pictures are made of"""


def open_emoji(settings: OpenMoji) -> Images:
    """The opened data set; UserError, in one sentence, if a setting fits none."""
    check_emoji(settings)
    if settings.task == "colour":
        return open_domain(settings, "colour")
    lines_of, colours_of = TRAIN if is_unpaired(settings) else (None, None)
    sets = {
        INPUTS[settings.task]: open_domain(settings, INPUTS[settings.task], lines_of),
        "colour": open_domain(settings, "colour", colours_of),
    }
    images = UnpairedImages(sets) if is_unpaired(settings) else EmojiPairs(sets)
    images.mirrored = settings.mirror
    return images


def is_unpaired(settings: OpenMoji) -> bool:
    """Whether the domains show different emoji."""
    return settings.task == "unpaired" and settings.part == "train"


def check_emoji(settings: OpenMoji) -> None:
    """UserError if a setting is out of range."""
    if not LEAST <= settings.size <= MOST:
        raise UserError(f"emoji of {settings.size} pixels; give {setting('size')} {LEAST} to {MOST}.")
    if settings.task == "super_resolution" and settings.size % SMALLER:
        raise UserError(
            f"a quarter of {settings.size} pixels is no whole number; give {setting('size')}"
            f" {settings.size - settings.size % SMALLER}."
        )
    if settings.channels not in (3, 4):
        raise UserError(f"emoji of {settings.channels} channels; give {setting('channels')} 3 (RGB) or 4 (RGBA).")
    if unknown := [name for name in settings.groups if name not in GROUPS.values()]:
        raise UserError(f"no group of emoji is called {unknown[0]!r}; there are {', '.join(GROUPS.values())}.")
    if unknown := [name for name in settings.tones if name not in TONES]:
        raise UserError(f"no skin tone of emoji is called {unknown[0]!r}; there are {', '.join(TONES)}.")
    if settings.task == "unpaired" and settings.part == "all":
        raise UserError(
            "task unpaired has no part all, since it learns from lines and colours of different emoji; give"
            f" {setting('part')} train, or test for pairs."
        )


def open_domain(settings: OpenMoji, domain: str, only: int | None = None) -> EmojiImages:
    """The emoji of a domain that the settings choose; `only`: of this part of the drawings."""
    names = [file.stem for file in emoji_files()]
    parts = {"train": TRAIN, "test": (PARTS - 1,), "all": range(PARTS)}[settings.part] if only is None else (only,)
    items = select_emoji(settings, names, parts)
    size, small = settings.size, settings.size // SMALLER
    on_white: list[Show] = [over_white] if settings.channels == 3 else []
    lines: tuple[str, list[Show], ImageSpec] = ("lines", [], ImageSpec(size, size, 1))
    if not settings.gray_lines:
        lines = ("lines", [partial(as_picture, channels=settings.channels)], ImageSpec(size, size, settings.channels))
    ways: dict[str, tuple[str, list[Show], ImageSpec]] = {
        "colour": ("picture", on_white, ImageSpec(size, size, settings.channels)),
        "small": ("picture", [*on_white, shrink], ImageSpec(small, small, settings.channels)),
        "lines": lines,
        "map": ("label_map", [], ImageSpec(size, size, CLASSES, classes=CLASSES)),
    }
    kind, show, spec = ways[domain]
    labels = emoji_labels(settings.labels, [names[item] for item in items], settings.tones or TONES)
    return EmojiImages(ShownEmoji(Drawings(kind, size), items, show), spec, labels, settings)


def select_emoji(settings: OpenMoji, names: Sequence[str], parts: Iterable[int]) -> np.ndarray:
    """Which of all emoji the settings choose, in rising order; UserError if there is none, or none of the subset."""
    chosen = [
        item
        for item, name in enumerate(names)
        if part(name) in parts
        and (not settings.groups or group(name) in settings.groups)
        and (settings.skin_tones or tone(name) == TONES[0])
        and (not settings.tones or tone(name) in settings.tones)
    ]
    return np.array(chosen)[select_subset(len(chosen), settings.subset, 0)]


def emoji_labels(kind: str, names: Sequence[str], tones: tuple[str, ...] = TONES) -> Labels | None:
    """The labels of some emoji, all of which are of these `tones`; None: unconditional."""
    groups = tuple(GROUPS.values())
    if kind == "groups":
        return class_labels([groups.index(group(name)) for name in names], groups)
    if kind == "tones":
        return class_labels([tones.index(tone(name)) for name in names], tones)
    if kind == "none":
        return None
    if kind == "names":
        return text_labels([description(name) for name in names])
    entries = (*groups, *tones)
    return vector_labels([[float(each in (group(name), tone(name))) for each in entries] for name in names], entries)


class ShownEmoji:
    """Some of the drawings as they are shown."""

    def __init__(self, drawings: Drawings, items: np.ndarray, show: Sequence[Show]):
        """`show`: what is done to each drawing, in turn."""
        self.drawings, self.items, self.show = drawings, items, show

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> np.ndarray:
        drawing = self.drawings[int(self.items[index])]
        for change in self.show:
            drawing = change(drawing)
        return drawing


def as_picture(lines: np.ndarray, channels: int) -> np.ndarray:
    """Lines uint8 [1, H, W] as RGB, or as RGBA that hides all behind it: uint8 [channels, H, W]."""
    return np.concatenate([lines] * 3 + [np.full_like(lines, 255)] * (channels - 3))


def shrink(picture: np.ndarray) -> np.ndarray:
    """A picture uint8 [C, H, W] of RGB or RGBA at a quarter of its size: means of 4x4 pixels, weighted by alpha."""
    channels, height, width = picture.shape
    blocks = picture.reshape(channels, height // SMALLER, SMALLER, width // SMALLER, SMALLER).astype(np.float32)
    alpha = blocks[3:].sum(axis=(2, 4))
    if not len(alpha):
        return np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8)
    colour = (blocks[:3] * blocks[3:]).sum(axis=(2, 4)) / np.maximum(alpha, 1)
    return np.rint(np.concatenate([colour, alpha / SMALLER**2])).astype(np.uint8)


class EmojiImages(IndexedImages):
    """Emoji, in the endless order of a seed."""

    def __init__(self, pictures: ShownEmoji, spec: ImageSpec, labels: Labels | None, settings: OpenMoji):
        super().__init__(pictures, spec, labels, settings.mirror, (f"licence of the images: {settings.licence}",))

    def content(self) -> Content:
        """Also the versions of what the emoji are drawn from and by."""
        return super().content()._replace(revision=made_by())


class EmojiPairs(UnpairedImages):
    """Drawings of the same emoji, in one order."""

    paired = True

    def domain_batches(self, positions: list[int], seed: int) -> dict[str, Batch]:
        """The drawings of each domain, those at a place of one emoji."""
        return {name: images.at(positions, seed) for name, images in self.sets.items()}
