"""An opened stream: rows come encoded, and each process decodes its own positions only."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ggdr.data.base import Batch, Content, Images
from ggdr.data.reading.cursor import Row, RowCursor, endless_rows
from ggdr.data.reading.detect import no_reader_message
from ggdr.data.reading.labels.base import Kind, Labels, class_labels, vector_labels
from ggdr.data.reading.labels.column import is_missing
from ggdr.data.reading.opening import choose_frame
from ggdr.data.reading.pixels.decode import decode_image
from ggdr.data.reading.pixels.framing import Frame
from ggdr.data.reading.reader import Columns, failure_reason
from ggdr.data.reading.survey import ImageSource, Survey
from ggdr.data.reading.tables.base import (
    check_column,
    class_names,
    image_column,
    read_image_cell,
    row_name,
    source_version,
)
from ggdr.data.reading.tables.hub import HubTable, load_hub
from ggdr.data.reading.tables.parquet import ParquetTable, count_rows, load_parquet
from ggdr.errors import UserError, setting
from ggdr.networks.base import ImageSpec

if TYPE_CHECKING:
    import datasets

    from ggdr.data.stream import ImageStream

SAMPLE = 32
"""images looked at before the stream is read in earnest"""
PATIENCE = 1000
"""images in a row that may be broken before it is believed that all are"""
MOST_CURSORS = 2
"""places kept open: the training's, and that of whoever looks at other positions now and then"""


def open_stream(settings: ImageStream) -> StreamedImages:
    """The opened stream; UserError, in one sentence, if the settings and the source do not fit together."""
    source = os.path.expanduser(settings.source)
    columns = Columns(settings.image_column, settings.split, settings.config)
    rows, length = open_rows(source, columns)
    column = image_column(rows.features, settings.image_column, source)
    if settings.labels:
        check_column(rows.features, settings.labels, source)
    if settings.buffer < 1:
        raise UserError(f"a shuffle buffer of {settings.buffer} images; give 1 (only shards are shuffled) or more.")
    length = settings.length or length
    if length < 1:
        raise UserError(f"{source!r} does not say how many images it holds; type {setting('length')} N.")
    rows = rows.decode(False).select_columns([name for name in (column, settings.labels) if name])
    try:
        sample = list(islice(rows, SAMPLE))
    except Exception as error:  # an edited file may raise anything in what reads it
        raise UserError(f"{source!r} cannot be read: {failure_reason(error)}; download it again.") from error
    frame = choose_frame(
        settings, Survey(source_of_cell(row[column], place, source) for place, row in enumerate(sample))
    )
    labels = StreamLabels(rows.features, settings.labels, settings.label_kind, sample) if settings.labels else None
    return StreamedImages(source, rows, column, frame, labels, length, settings.buffer, settings.mirror)


def source_of_cell(cell: Any, place: int, source: str) -> ImageSource:
    """A cell of the stream, to be looked at."""
    read = partial(read_image_cell, cell, source)
    return ImageSource(partial(row_name, cell, place), read, read)


def open_rows(source: str, columns: Columns) -> tuple[datasets.IterableDataset, int]:
    """The streamed split, and its number of rows as far as that is known (else 0)."""
    if source and ParquetTable.fits(source):
        return load_parquet(source, columns, streaming=True), count_rows(source, columns)
    if not HubTable.fits(source):
        raise UserError(no_reader_message(source))
    rows = load_hub(source, columns, streaming=True)
    declared = (rows.info.splits or {}).get(columns.split)
    return rows, declared.num_examples if declared else 0


class StreamLabels:
    """Labels of a few rows at a time: what they can be must be known from the start."""

    def __init__(self, features: Any, column: str, kind: Kind, sample: Sequence[Row]):
        """UserError unless the column declares its classes or holds fractions or lists, or is said to hold numbers.

        `sample`: the first rows, by which the range of values is known.
        """
        self.column, self.classes = column, class_names(features[column])
        labelled = [row[column] for row in sample if not self.is_unlabelled(row)]
        if not labelled:
            raise UserError(f"none of the first {len(sample)} images has a label in column {column!r}.")
        value = labelled[0]
        self.is_list = isinstance(value, (list, tuple, np.ndarray))
        numbers = isinstance(value, float) or kind == "continuous" and isinstance(value, int)
        if not (self.classes or self.is_list or numbers):
            raise UserError(
                f"column {column!r} does not declare its classes, so a stream cannot number them; "
                "make it a ClassLabel column, read the whole set with --data images, or, if it holds quantities, type"
                f" {setting('label_kind')} continuous."
            )
        entries = [f"{column}_{entry}" for entry in range(len(value))] if self.is_list else [column]
        self.names = self.classes or tuple(entries)
        self.ranges = () if self.classes else self._vectors(labelled).ranges

    def is_unlabelled(self, row: Row) -> bool:
        """Whether a row has no label."""
        value = row[self.column]
        return is_missing(value) or bool(self.classes) and value < 0

    def add_to(self, spec: ImageSpec) -> ImageSpec:
        """The spec with what networks need to know of the labels."""
        return spec._replace(labels=len(self.names), label_names=self.names, label_ranges=self.ranges)

    def __call__(self, rows: Sequence[Row]) -> torch.Tensor:
        """Label vectors float32 [N, L]."""
        values = [row[self.column] for row in rows]
        return torch.from_numpy(self._labels(values).rows(range(len(values))))

    def _labels(self, values: list) -> Labels:
        return class_labels(values, self.classes) if self.classes else self._vectors(values)

    def _vectors(self, values: list) -> Labels:
        """Vectors as they stand: those of a few rows must not be taken for classes."""
        return vector_labels(values if self.is_list else [[value] for value in values], self.names, plain=True)


class StreamedImages(Images):
    """Rows of a stream as images; going back means to begin the epoch again, so it is meant to be read forward."""

    forks = False

    def __init__(
        self,
        source: str,
        rows: datasets.IterableDataset,
        column: str,
        frame: Frame,
        labels: StreamLabels | None,
        length: int,
        buffer: int,
        mirror: bool,
    ):
        self.source, self.rows, self.column, self.frame, self.labels = source, rows, column, frame, labels
        self.length, self.buffer, self.mirror = length, buffer, mirror
        spec = ImageSpec(frame.height, frame.width, frame.channels)
        self.spec = labels.add_to(spec) if labels else spec
        self._cursors: dict[int, list[RowCursor]] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, self._cursors.clear)  # open readers must end before the interpreter takes their modules

    def __len__(self) -> int:
        return self.length

    def content(self) -> Content:
        """Also the version of the source, where it can be known: the files' sizes, or the Hub's commit."""
        return super().content()._replace(revision=source_version(self.source))

    def at(self, positions: Sequence[int], seed: int) -> Batch:
        with self._lock:  # the loader's thread reads while the training may look at other positions
            cursor = self._cursor(min(positions), seed)
            found = [self._readable(cursor, position) for position in positions]
        flips = [self.mirror and np.random.default_rng((seed, position)).integers(2) for position in positions]
        drawn = [array[..., ::-1] if flip else array for flip, (_, array) in zip(flips, found, strict=True)]
        labels = self.labels([row for row, _ in found]) if self.labels else None
        return Batch(torch.from_numpy(np.stack(drawn)), labels)

    def _cursor(self, position: int, seed: int) -> RowCursor:
        """A tape wound to `position`: the nearest open one behind it, unless the epoch's start is nearer."""
        cursors = self._cursors.setdefault(seed, [])
        epoch_start = position - position % self.length
        near = [cursor for cursor in cursors if epoch_start <= cursor.start <= position]
        if near:
            cursor = max(near, key=lambda cursor: cursor.start)
            cursors.remove(cursor)
        else:
            cursor = RowCursor(endless_rows(self.rows, self.length, self.buffer, seed, position), position)
        cursor.move_to(position)
        cursors.append(cursor)
        del cursors[:-MOST_CURSORS]
        return cursor

    def _row(self, cursor: RowCursor, position: int) -> Row:
        """The row at `position`; UserError, in one sentence, if the file breaks off before it."""
        try:
            return cursor[position]
        except Exception as error:  # a file that breaks off may raise anything in what reads it
            raise UserError(
                f"{self.source!r} cannot be read on: {failure_reason(error)}; download it again."
            ) from error

    def _readable(self, cursor: RowCursor, position: int) -> tuple[Row, np.ndarray]:
        """The row at `position`, or the next one whose image can be decoded, and its pixels."""
        for candidate in range(position, position + PATIENCE):
            row = self._row(cursor, candidate)
            if self.labels and self.labels.is_unlabelled(row):
                self.note({row_name(row[self.column], candidate): f"it has no label in {self.labels.column!r}"})
                continue
            try:
                return row, decode_image(read_image_cell(row[self.column], self.source), self.frame)
            except Exception as error:  # a broken file may raise anything in a decoder
                self.note({row_name(row[self.column], candidate): failure_reason(error)})
        raise UserError(f"none of {PATIENCE} images in a row can be read; look at the source.")
