"""Many images in one array, and labels in another beside it: what .npy, .npz and HDF5 files share."""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Mapping
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from ggdr.data.reading.labels.base import Kind, Labels
from ggdr.data.reading.labels.column import labels_from_column
from ggdr.data.reading.reader import Columns, Reader, check_size
from ggdr.errors import UserError, setting

NUMBERS = "buif"
"""kinds of numpy's numbers of which images and labels are made"""
WORDS = "SUO"
"""kinds of text"""
PROBED = 64
"""rows by which an array is known again"""


class ArrayHeader(NamedTuple):
    """An array in a file, by its header."""

    shape: tuple[int, ...]
    dtype: np.dtype
    encoded: bool = False
    """each entry is an encoded image, of bytes without end"""

    @property
    def nbytes(self) -> int:
        """Return the bytes that all its values take."""
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize

    @property
    def is_images(self) -> bool:
        """Whether it may hold images: [N, H, W], [N, H, W, C], [N, C, H, W], or encoded ones [N]."""
        if self.encoded:
            return len(self.shape) == 1
        if self.dtype.kind not in NUMBERS or len(self.shape) not in (3, 4) or min(self.shape) < 1:
            return False
        if len(self.shape) == 3:  # with colours last it is one image
            return min(self.shape[1:]) > 4
        return sorted(self.shape[1:])[1] > 1


class ArrayReader(Reader):
    """The rows of an array of images."""

    source: str
    arrays: Mapping[str, ArrayHeader]
    """the arrays of the file, by name"""
    column: str
    """the one of the images"""

    def select_array(self, columns: Columns) -> None:
        """Settle which array holds the images; UserError, with those there are."""
        found = {name: array for name, array in self.arrays.items() if array.is_images}
        if columns.image and columns.image not in self.arrays:
            raise UserError(
                f"{self.kind} {self.source!r} has no array {columns.image!r}; its arrays are"
                f" {list_arrays(self.arrays)}."
            )
        if columns.image:
            found = {columns.image: self.arrays[columns.image]}
        if not found or not next(iter(found.values())).is_images:
            raise UserError(
                f"{self.kind} {self.source!r} holds no images, which are arrays of [N, H, W, C], [N, C, H, W] or"
                f" [N, H, W]; it holds {list_arrays(found or self.arrays) or 'nothing else'}."
            )
        if len(found) > 1:
            raise UserError(
                f"{self.kind} {self.source!r} holds several arrays of images ({list_arrays(found)}); type"
                f" {setting('image_column')} {' or '.join(found)}."
            )
        (self.column,) = found
        if not self.array.encoded:
            check_size(self.array.nbytes // max(len(self), 1))

    @property
    def array(self) -> ArrayHeader:
        """The array of the images."""
        return self.arrays[self.column]

    def __len__(self) -> int:
        return self.array.shape[0]

    def name(self, item: int) -> str:
        return f"{self.column}[{item}]"

    def read(self, item: int) -> bytes:
        if self.array.encoded:
            return self.read_row(item)
        return self.row_header() + self.read_row(item)

    def revision(self) -> str:
        """A hash of the array's header and of some of its rows, evenly spread; empty if one of them cannot be read."""
        told = blake2b(self.row_header(), digest_size=8)
        try:
            for item in np.linspace(0, len(self) - 1, min(PROBED, len(self))).astype(int):
                told.update(self.read_row(int(item)))
        except Exception:  # a broken row may raise anything; it is named when its turn comes
            return ""
        return told.hexdigest()

    def row_header(self) -> bytes:
        """What makes a row's values a .npy file."""
        dtype = np.lib.format.dtype_to_descr(self.array.dtype)
        head = {"descr": dtype, "fortran_order": False, "shape": self.array.shape[1:]}
        stream = io.BytesIO()
        np.lib.format.write_array_header_1_0(stream, head)
        return stream.getvalue()

    @abstractmethod
    def read_row(self, item: int) -> bytes:
        """The bytes of a row's values, or of its encoded image; any exception if they cannot be had."""

    @abstractmethod
    def read_array(self, name: str) -> np.ndarray:
        """All values of an array that is small enough to be labels."""

    def labels(self, how: str, kind: Kind = "auto") -> Labels:
        """Labels from another array of the file, a row an image: class numbers or words [N], or vectors [N, L]."""
        others = {
            name: array for name, array in self.arrays.items() if name != self.column and self._may_be_labels(array)
        }
        if how not in others:
            there = f"its arrays of labels are {list_arrays(others)}" if others else "it holds no labels"
            raise UserError(f"{self.kind} {self.source!r} has no array of labels {how!r}; {there}.")
        values = self.read_array(how)
        if values.size == len(self):
            values = values.reshape(-1)
        rows = [row.decode("utf-8", "replace") if isinstance(row, bytes) else row for row in values.tolist()]
        return labels_from_column(rows, how, kind=kind)

    def _may_be_labels(self, array: ArrayHeader) -> bool:
        """Whether an array may be labels: an entry or a list of numbers an image."""
        if array.encoded or array.dtype.kind not in NUMBERS + WORDS or array.shape[:1] != (len(self),):
            return False
        return len(array.shape) < 3 or array.shape[1:] == (1,) * (len(array.shape) - 1)

    def label_choices(self) -> list[str]:
        """Return the names of arrays that hold one whole number an image, beside the images' own."""
        return [
            name
            for name, array in self.arrays.items()
            if name != self.column
            and self._may_be_labels(array)
            and array.dtype.kind in "ui"
            and max(array.shape[1:], default=1) == 1
        ]


def list_arrays(arrays: Mapping[str, ArrayHeader]) -> str:
    """The names of arrays, and what they are."""
    shown = list(arrays.items())[:8]
    more = f", and {len(arrays) - len(shown)} others" if len(arrays) > len(shown) else ""
    return (
        ", ".join(f"{name} {'bytes' if array.encoded else array.dtype} {list(array.shape)}" for name, array in shown)
        + more
    )
