"""Label maps: images whose values are numbers of classes, or of instances; they are resized by the nearest pixel."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ggdr.data.reading.pixels.arrays import EncodedArray
from ggdr.data.reading.pixels.decode import NUMBERS, camera_orientation, open_image_or_array, rotate_upright
from ggdr.data.reading.pixels.framing import Frame
from ggdr.documents import one_line
from ggdr.errors import UserError, setting

IGNORED = 255
"""what pixels of no class become"""
MOST_CLASSES = 255
FEW = 2**16
"""values that are counted rather than sorted"""
CITYSCAPES = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
"""labelIds of Cityscapes whose classes are trained on, in the order of their trainIds 0 .. 18"""
WANTED = "cityscapes, shift, a .csv of value and class, or 7:0,8:1"


class WrongMap(UserError):
    """A label map that does not mean what the settings say: no picture stands in for it."""


class Classes(NamedTuple):
    """What the values of label maps mean."""

    number: int
    """K: classes are 0 .. K-1"""
    ignore: frozenset[int] = frozenset((IGNORED, -1))
    """values of pixels of no class, before they are mapped"""
    mapping: Mapping[int, int] | None = None
    """value -> class; values that it does not name are of no class; None: values are classes"""

    def __call__(self, values: np.ndarray, name: str) -> np.ndarray:
        """The classes uint8 [H, W] of whole numbers, `IGNORED` where there is none; WrongMap for values beyond them."""
        found, places = distinct(values)
        classes = np.array([self._class_of(int(value)) for value in found])
        wrong = found[(classes < 0) | (classes >= self.number) & (classes != IGNORED)]
        if len(wrong):
            raise WrongMap(
                f"label map {name!r} holds the value {int(wrong[0])}, beyond the classes 0 .. {self.number - 1}; raise"
                f" {setting('maps.classes')}, or say by {setting('maps.ignore')} {int(wrong[0])} that it is none, or by"
                f" {setting('maps.mapping')} which it is."
            )
        return classes.astype(np.uint8)[places]

    def _class_of(self, value: int) -> int:
        """The class of a value, or `IGNORED`."""
        if value in self.ignore:
            return IGNORED
        return value if self.mapping is None else self.mapping.get(value, IGNORED)


def distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values, rising, and the place of each among them; by counting where they lie close together."""
    low = int(values.min())
    if int(values.max()) - low >= FEW:
        found, places = np.unique(values, return_inverse=True)
        return found, places.reshape(values.shape)
    offsets = values - low
    there = np.bincount(offsets.ravel()) > 0
    return np.flatnonzero(there) + low, (np.cumsum(there) - 1)[offsets]


def read_mapping(text: str, classes: int) -> dict[int, int] | None:
    """The mapping that a setting asks for; None: values are classes. UserError if it means nothing."""
    if not text:
        return None
    if text == "cityscapes":
        return {value: place for place, value in enumerate(CITYSCAPES)}
    if text == "shift":
        return {value: value - 1 for value in range(1, classes + 1)}
    try:
        if text.lower().endswith((".csv", ".tsv", ".txt")):
            rows = [*csv.reader(io.StringIO(Path(text).expanduser().read_text("utf-8-sig").replace("\t", ",")))]
            pairs = [row[:2] for row in rows if row][not rows[0][0].strip().lstrip("-").isdigit() :]
        else:
            pairs = [part.split(":") for part in text.split(",")]
        return {int(value): int(number) for value, number in pairs}
    except (OSError, ValueError, IndexError) as error:
        raise UserError(
            f"{setting('maps.mapping')} {text!r} is no mapping ({one_line(error, 80)}); give {WANTED}."
        ) from error


def decode_numbers(data: bytes) -> np.ndarray:
    """The whole numbers [H, W] of a label map, palettes by their places; any exception if it is none."""
    image = open_image_or_array(data)
    if isinstance(image, EncodedArray):
        values = image.read()
    else:
        with image:
            image.load()
            upright = rotate_upright(image, camera_orientation(image))
            plain = upright.mode in ("L", "P", "1") or upright.mode in NUMBERS
            values = np.asarray(upright if plain else upright.convert("RGB"))
    if values.ndim == 3:
        if (values != values[..., :1]).any():
            raise WrongMap("it is in colours, and label maps hold one number a pixel; give the maps of numbers")
        values = values[..., 0]
    if values.dtype.kind == "f" and not (values == np.rint(values)).all():
        raise WrongMap("it holds fractions, and label maps hold whole numbers")
    return values.astype(np.int64)


def fit_nearest(values: np.ndarray, frame: Frame, margin: int) -> np.ndarray:
    """Make numbers [H, W] fill the frame as pictures do, each pixel the nearest one; margins of `pad` are `margin`."""
    height, width = values.shape
    if frame.crop == "pad":
        scale = min(frame.width / width, frame.height / height)
        inner = max(round(height * scale), 1), max(round(width * scale), 1)
        top, left = (frame.height - inner[0]) // 2, (frame.width - inner[1]) // 2
        whole = np.full((frame.height, frame.width), margin, values.dtype)
        whole[top : top + inner[0], left : left + inner[1]] = nearest(values, (0, 0, height, width), inner)
        return whole
    box = (0.0, 0.0, float(height), float(width))
    if frame.crop == "centre":
        scale = min(width / frame.width, height / frame.height)
        top, left = (height - frame.height * scale) / 2, (width - frame.width * scale) / 2
        box = (top, left, height - top, width - left)
    return nearest(values, box, (frame.height, frame.width))


def nearest(values: np.ndarray, box: Sequence[float], size: tuple[int, int]) -> np.ndarray:
    """The part of numbers [H, W] within top, left, bottom, right, in another size."""
    top, left, bottom, right = box
    rows = np.floor(top + (np.arange(size[0]) + 0.5) * (bottom - top) / size[0]).astype(int)
    columns = np.floor(left + (np.arange(size[1]) + 0.5) * (right - left) / size[1]).astype(int)
    return values[np.clip(rows, 0, values.shape[0] - 1)][:, np.clip(columns, 0, values.shape[1] - 1)]


def instance_edges(values: np.ndarray) -> np.ndarray:
    """1 where a pixel's neighbour, above, below or beside, is of another instance, else 0: uint8 [H, W].

    The boundary map of pix2pixHD (arXiv 1711.11585, 3.3).
    """
    edges = np.zeros(values.shape, bool)
    down, across = values[1:] != values[:-1], values[:, 1:] != values[:, :-1]
    edges[1:] |= down
    edges[:-1] |= down
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    return edges.astype(np.uint8)
