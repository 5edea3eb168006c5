"""From the settings of OpenMoji to the opened data set: which emoji, drawn how, with which labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ggdr.data.base import Content
from ggdr.data.reading.indexed import IndexedImages
from ggdr.data.reading.labels.base import Labels, class_labels, vector_labels
from ggdr.data.reading.opening import select_subset
from ggdr.data.reading.openmoji.code_points import GROUPS, PARTS, TONES, group, part, tone
from ggdr.data.reading.openmoji.drawings import Drawings, emoji_files, made_by
from ggdr.errors import UserError, setting
from ggdr.networks.base import ImageSpec

if TYPE_CHECKING:
    from ggdr.data.openmoji import OpenMoji

LEAST, MOST = 8, 512
"""sizes at which emoji are drawn, pixels; 4,495 of 512 take 5 GB of disk"""
CREDIT = "the emoji are designed by OpenMoji, the open-source emoji and icon project (CC BY-SA 4.0)"
HELD_OUT = PARTS - 1
"""the part of the drawings that is held out"""


def open_emoji(settings: OpenMoji) -> IndexedImages:
    """The opened data set; UserError, in one sentence, if a setting fits none."""
    check_emoji(settings)
    names = [file.stem for file in emoji_files()]
    items = select_emoji(settings, names)
    pictures = Shown(Drawings("picture", settings.size), items, settings.channels)
    spec = ImageSpec(settings.size, settings.size, settings.channels)
    return EmojiImages(pictures, spec, emoji_labels(settings.labels, [names[item] for item in items]), settings.mirror)


def check_emoji(settings: OpenMoji) -> None:
    """UserError if a setting is out of range."""
    if not LEAST <= settings.size <= MOST:
        raise UserError(f"emoji of {settings.size} pixels; give {setting('size')} {LEAST} to {MOST}.")
    if settings.channels not in (3, 4):
        raise UserError(f"emoji of {settings.channels} channels; give {setting('channels')} 3 (RGB) or 4 (RGBA).")
    if unknown := [name for name in settings.groups if name not in GROUPS.values()]:
        raise UserError(f"no group of emoji is called {unknown[0]!r}; there are {', '.join(GROUPS.values())}.")


def select_emoji(settings: OpenMoji, names: Sequence[str]) -> np.ndarray:
    """Which of all emoji the settings choose, in rising order; UserError if there is none, or none of the subset."""
    parts = {"train": range(HELD_OUT), "test": (HELD_OUT,), "all": range(PARTS)}[settings.part]
    chosen = [
        item
        for item, name in enumerate(names)
        if part(name) in parts
        and (not settings.groups or group(name) in settings.groups)
        and (settings.skin_tones or tone(name) == TONES[0])
    ]
    return np.array(chosen)[select_subset(len(chosen), settings.subset, 0)]


def emoji_labels(kind: str, names: Sequence[str]) -> Labels | None:
    """The labels of some emoji; None: unconditional."""
    groups, tones = tuple(GROUPS.values()), TONES
    if kind == "groups":
        return class_labels([groups.index(group(name)) for name in names], groups)
    if kind == "tones":
        return class_labels([tones.index(tone(name)) for name in names], tones)
    if kind == "none":
        return None
    entries = (*groups, *tones)
    return vector_labels([[float(each in (group(name), tone(name))) for each in entries] for name in names], entries)


class Shown:
    """Some of the drawings as they are shown: RGBA, or RGB over white, or the one channel that they have."""

    def __init__(self, drawings: Drawings, items: np.ndarray, channels: int):
        self.drawings, self.items, self.channels = drawings, items, channels

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> np.ndarray:
        drawing = self.drawings[int(self.items[index])]
        return over_white(drawing) if (len(drawing), self.channels) == (4, 3) else drawing


def over_white(rgba: np.ndarray) -> np.ndarray:
    """RGB uint8 [3, H, W] of RGBA uint8 [4, H, W] in front of white."""
    colour, alpha = rgba[:3].astype(np.uint16), rgba[3:].astype(np.uint16)
    return ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


class EmojiImages(IndexedImages):
    """Emoji, in the endless order of a seed."""

    def __init__(self, pictures: Shown, spec: ImageSpec, labels: Labels | None, mirror: bool):
        super().__init__(pictures, spec, labels, mirror, (CREDIT,))

    def content(self) -> Content:
        """Also the versions of what the emoji are drawn from and by."""
        return super().content()._replace(revision=made_by())
