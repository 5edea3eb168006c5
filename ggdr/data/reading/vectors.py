"""Vectors in files, with their classes and what is known of each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ggdr.data.reading.arrays.npy import load_array, read_headers
from ggdr.data.reading.indexed import IndexedImages
from ggdr.data.reading.labels.base import Labels, class_labels, vector_labels
from ggdr.data.reading.reader import failure_reason
from ggdr.data.vectors import BUILT_IN, Vectors
from ggdr.documents import file_hash
from ggdr.errors import UserError, setting
from ggdr.features.scans import digit_scans
from ggdr.networks.base import ImageSpec

SEGMENTS = ("abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg")
"""the segments of a seven-segment display that show each digit, by their letters, clockwise from the top, g between"""


COLUMNS = {"vectors": "vector", "classes": "class", "class_vectors": "class_vector", "class_names": "class_names"}
"""array of a .npz -> column of a .parquet"""


class Table(NamedTuple):
    """What a file of vectors holds."""

    vectors: np.ndarray
    """[N, K] float32"""
    classes: np.ndarray | None
    """[N] int64 places in `names`; None: there are none"""
    names: tuple[str, ...]
    """names of classes"""
    class_vectors: np.ndarray | None = None
    """[C, T] float32, what is known of each class; None: nothing"""


class HashedVectors(IndexedImages):
    """Vectors in memory, known by the hash of their file."""

    revision = ""

    def content(self):
        return super().content()._replace(revision=self.revision)


def open_vectors(settings: Vectors) -> HashedVectors:
    """The vectors that the settings choose; UserError if there are none."""
    table = digit_vectors() if settings.source == BUILT_IN else read_table(Path(settings.source))
    unseen = read_unseen(settings)
    if strange := sorted({*unseen} - {*table.names}):
        known = f"classes {', '.join(table.names[:20])}" if table.names else "no classes"
        raise UserError(
            f"{settings.source!r} has no class {strange[0]!r} to hold out; it has {known}: set {setting('unseen')}."
        )
    seen = np.ones(len(table.vectors), bool)
    if table.classes is not None and unseen:
        seen = ~np.isin(table.classes, [table.names.index(name) for name in unseen])
    chosen = {"seen": seen, "unseen": ~seen, "all": np.ones_like(seen)}[settings.part]
    if not chosen.any() or not seen.any():
        raise UserError(
            f"there are no {settings.part} vectors of {settings.source!r} when"
            f" {', '.join(unseen) or 'nothing'} is held out: set {setting('unseen')} to some of its"
            " classes, and not to all."
        )
    vectors = scaled(table.vectors, table.vectors[seen], settings.scale)[chosen]
    labels = None if table.classes is None else chosen_labels(settings, table, table.classes[chosen])
    spec = ImageSpec(1, 1, vectors.shape[1], continuous=True)
    notes: tuple[str, ...] = ()
    if unseen:
        notes = (f"{len(unseen)} of {len(table.names)} classes are held out: {', '.join(unseen[:20])}",)
    images = HashedVectors(vectors[:, :, None, None], spec, labels, notes=notes)
    images.revision = "" if settings.source == BUILT_IN else file_hash(Path(settings.source))
    return images


def read_unseen(settings: Vectors) -> tuple[str, ...]:
    """Names of the classes that are held out: those of the settings, or else those that the .npz names."""
    file = Path(settings.source)
    if settings.unseen or settings.source == BUILT_IN or file.suffix != ".npz":
        return settings.unseen
    named = columns_of(file, {"unseen": ""}).get("unseen", np.array([]))
    return tuple(map(str, named.tolist()))


def chosen_labels(settings: Vectors, table: Table, classes: np.ndarray) -> Labels | None:
    """The labels of vectors of these classes [n]; UserError if the file says nothing of classes, and should."""
    if settings.labels == "none":
        return None
    if settings.labels == "classes":
        return class_labels(classes.tolist(), table.names)
    if table.class_vectors is None:
        raise UserError(
            f"{settings.source!r} says nothing of its classes: add an array class_vectors [C, T] to the .npz, or a"
            f" column class_vector to the .parquet, or set {setting('labels')} to classes."
        )
    names = [str(number) for number in range(table.class_vectors.shape[1])]
    return vector_labels(table.class_vectors[classes], names, plain=True)


def scaled(vectors: np.ndarray, seen: np.ndarray, scale: str) -> np.ndarray:
    """Vectors [N, K] in [-1, 1] by the range of those that are `seen`, of each number or of all; or as they are."""
    if scale == "none":
        return vectors
    axis = 0 if scale == "each" else None
    low, high = seen.min(axis=axis, keepdims=True), seen.max(axis=axis, keepdims=True)
    return ((vectors - low) / np.where(high > low, high - low, 1) * 2 - 1).astype(np.float32)


def digit_vectors() -> Table:
    """Scikit-learn's scans as vectors [1797, 64] of 0 to 16."""
    scans, digits = digit_scans()
    shown = np.array([[letter in segments for letter in "abcdefg"] for segments in SEGMENTS], np.float32)
    return Table(scans.reshape(len(scans), -1).astype(np.float32), digits, tuple(map(str, range(10))), shown)


def read_table(file: Path) -> Table:
    """The vectors of a file; UserError if it holds none."""
    columns = columns_of(file, COLUMNS)
    if "vectors" not in columns:
        raise UserError(
            f"{str(file)!r} holds no vectors: give them as an array vectors [N, K] of a .npz, or a column vector of a"
            " .parquet."
        )
    vectors = checked(columns["vectors"], None, f"vectors of {str(file)!r}")
    if (classes := columns.get("classes")) is None:
        return Table(vectors, None, ())
    if classes.shape != (len(vectors),):
        raise UserError(f"{str(file)!r} has {len(vectors)} vectors and classes {list(classes.shape)}; give one each.")
    places, names = numbered(classes, columns.get("class_names"), file)
    known = columns.get("class_vectors")
    if known is not None and file.suffix == ".parquet":  # one a row
        known = known[[int(np.argmax(places == place)) for place in range(len(names))]]
    if known is not None:
        known = checked(known, len(names), f"class vectors of {str(file)!r}")
    return Table(vectors, places, names, known)


def numbered(classes: np.ndarray, names: np.ndarray | None, file: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Classes [N] as places among names: numbers are places, or, without names, their own names; UserError if not."""
    if names is None:
        found, places = np.unique(classes, return_inverse=True)
        return places, tuple(map(str, found.tolist()))
    known = tuple(map(str, names.tolist()))
    if np.issubdtype(classes.dtype, np.integer):
        if classes.min() < 0 or classes.max() >= len(known):
            raise UserError(
                f"{str(file)!r} has classes {classes.min()} to {classes.max()} and {len(known)} class_names; give"
                " numbers from 0 on, below their count."
            )
        return classes.astype(np.int64), known
    place_of = {name: place for place, name in enumerate(known)}
    if strange := sorted({str(each) for each in classes.tolist()} - place_of.keys()):
        raise UserError(f"{str(file)!r} has the class {strange[0]!r}, which its class_names do not have; add it there.")
    return np.array([place_of[str(each)] for each in classes.tolist()], np.int64), known


def checked(vectors: np.ndarray, count: int | None, what: str) -> np.ndarray:
    """Vectors [N, K] as float32; UserError if they are none, not finite, or not as many as they should be."""
    if vectors.ndim != 2 or not vectors.size or vectors.dtype.kind not in "fiub":
        raise UserError(f"the {what} are {vectors.dtype} {list(vectors.shape)}; give numbers [N, K].")
    if count is not None and len(vectors) != count:
        raise UserError(f"the {what} are {len(vectors)} and the classes {count}; give one each.")
    found = vectors.astype(np.float32)
    if not np.isfinite(found).all():
        raise UserError(f"the {what} are not all finite; leave out rows with NaN or infinity.")
    return found


def columns_of(file: Path, columns: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Arrays of a .npz, or columns of a .parquet, by the arrays' names; UserError if it cannot be read.

    `columns`: array -> column; of a .npz, these arrays and no others are read.
    """
    try:
        if file.suffix == ".parquet":
            return parquet_columns(file, columns)
        return {name: load_array(file, *found) for name, found in read_headers(file).items() if name in columns}
    except Exception as error:  # an edited head may raise anything
        raise UserError(
            f"{str(file)!r} is no readable .npz or .parquet ({failure_reason(error)}); save it again."
        ) from error


def parquet_columns(file: Path, columns: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Columns of a table as arrays, under other names."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(file)
    return {
        name: stacked(table.column(column).to_pylist())
        for name, column in columns.items()
        if column in table.column_names
    }


def stacked(values: Sequence) -> np.ndarray:
    """Values of a column as one array."""
    return np.array(values)
