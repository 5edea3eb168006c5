"""Label vectors: one-hot classes, several attributes at once or continuous values, from folders, csv or a column."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from ggdr.documents import one_line


class Labels(NamedTuple):
    """One label an item; classes are kept as numbers and become one-hot vectors when asked for."""

    values: np.ndarray
    """[N] int64 class numbers, or [N, L] float32 vectors"""
    names: tuple[str, ...]
    """names of the vector's entries"""

    @property
    def width(self) -> int:
        """Entries of the label vector."""
        return len(self.names)

    def rows(self, items: Sequence[int]) -> np.ndarray:
        """Label vectors of these items, float32 [n, L]."""
        chosen = self.values[np.asarray(items)]
        if chosen.ndim > 1:
            return chosen
        rows = np.zeros((len(chosen), self.width), np.float32)  # not of np.eye: that is classes squared
        rows[np.arange(len(chosen)), chosen] = 1
        return rows

    def counts(self) -> dict[str, int]:
        """Name -> items of that class, or items for which that entry is not zero."""
        if self.values.ndim == 1:
            totals = np.bincount(self.values, minlength=self.width)
        else:
            totals = (self.values != 0).sum(axis=0)
        return dict(zip(self.names, totals.tolist(), strict=True))


def classes(values: Sequence, names: Sequence[str] = ()) -> Labels:
    """One class an item: numbers into `names`, or, without them, any sortable values, each its own class."""
    if not names:
        try:
            kinds = sorted(set(values))
        except TypeError as error:
            raise ValueError(
                f"labels are no classes ({error}); give words, whole numbers or lists of numbers."
            ) from error
        number_of = {kind: number for number, kind in enumerate(kinds)}
        return Labels(np.array([number_of[value] for value in values], np.int64), tuple(map(str, kinds)))
    numbers = np.array([-1 if value is None else value for value in values], np.int64)
    if numbers.min() < 0 or numbers.max() >= len(names):
        strange = (numbers < 0) | (numbers >= len(names))
        raise ValueError(
            f"{strange.sum()} items have no label, or one without a name; choose a split that is labelled."
        )
    return Labels(numbers, tuple(names))


def of_values(values: Sequence, column: str, names: Sequence[str] = ()) -> Labels:
    """Labels from a column: integers and words are classes, fractions and lists are vectors."""
    if any(value is None for value in values):
        raise ValueError(f"column {column!r} has empty cells; fill them or choose another column.")
    if isinstance(values[0], (list, tuple, np.ndarray)):
        if len({len(value) for value in values if isinstance(value, (list, tuple, np.ndarray))}) > 1:
            raise ValueError(f"column {column!r} holds lists of differing length; a label vector has one width.")
        return vectors(values, [f"{column}_{entry}" for entry in range(len(values[0]))])
    if not names and any(isinstance(value, float) and not value.is_integer() for value in values):
        return vectors([[value] for value in values], [column])
    return classes(values, names)


def vectors(values: Sequence[Sequence[float]], names: Sequence[str]) -> Labels:
    """Label vectors as they are: several attributes at once, or continuous conditions; ValueError if not finite."""
    try:
        rows = np.asarray(values, np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"labels {', '.join(names)} are not all numbers ({one_line(error, 80)}); mend them."
        ) from error
    if rows.ndim != 2:
        raise ValueError(f"labels {', '.join(names)} are lists in lists; give every item one list of numbers.")
    if not np.isfinite(rows).all():
        raise ValueError(f"labels {', '.join(names)} hold values that are not finite numbers; fill them in.")
    return Labels(rows, tuple(names))


def from_folders(files: Sequence[str]) -> Labels:
    """The first sub-folder below the one that all files share is the class; ValueError if a file lies in none."""
    depth = shared_depth(files)
    for file in files:
        if len(PurePosixPath(file).parts) <= depth + 1:
            raise ValueError(f"labels 'folders': {file!r} lies in no sub-folder; give every class a folder of its own.")
    return classes([PurePosixPath(file).parts[depth] for file in files])


def shared_depth(files: Sequence[str]) -> int:
    """How many leading folders all files share, where sub-folders differ below them; 0 if none do."""
    folders = [PurePosixPath(file).parts[:-1] for file in files]
    first, last = min(folders), max(folders)  # what the least and the greatest share, all share
    depth = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return 0 if depth == len(first) == len(last) else depth


def from_csv(path: Path, files: Sequence[str]) -> Labels:
    """Labels from a table of file name and label columns, with or without a heading; ValueError if it misses a file.

    One column of words or whole numbers: classes. Several columns, or fractions: the vector as it stands.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            table = [[cell.strip() for cell in row] for row in csv.reader(lines) if row]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text ({error.reason}); save it as UTF-8 csv.") from error
    except csv.Error as error:
        raise ValueError(f"{path} is no csv ({one_line(error)}); each line is to be: file name, label, ...") from error
    if not table or len(table[0]) < 2:
        raise ValueError(f"{path} has no label column; each line is to be: file name, label, label, ...")
    heading = [str(entry) for entry in range(len(table[0]) - 1)]
    if not {table[0][0], PurePosixPath(table[0][0]).name} & _keys(files).keys():
        heading, table = table[0][1:], table[1:]
    rows = _rows_of(path, table, files)
    ragged = next((row for row in rows if len(row) != len(heading)), None)
    if ragged is not None:
        raise ValueError(
            f"{path}: a line has {len(ragged)} labels where {len(heading)} are due: {one_line(', '.join(ragged), 80)}."
        )
    if len(heading) == 1:
        return of_values(_typed([row[0] for row in rows]), heading[0])
    try:
        return vectors([[float(cell) for cell in row] for row in rows], heading)
    except ValueError as error:
        raise ValueError(f"{path}: several label columns must hold numbers ({error}).") from error


def _keys(files: Sequence[str]) -> dict[str, str]:
    """Every name a csv may call a file by -> the file: its path, or its last part where only one file has it."""
    alone = Counter(PurePosixPath(file).name for file in files)
    short = {name: file for file in files if alone[name := PurePosixPath(file).name] == 1}
    return short | {file: file for file in files}


def _rows_of(path: Path, table: list[list[str]], files: Sequence[str]) -> list[list[str]]:
    """The label cells of each file, in the order of `files`."""
    keys = _keys(files)
    rows = {keys[row[0]]: row[1:] for row in table if row[0] in keys}
    missing = [file for file in files if file not in rows]
    if missing:
        raise ValueError(
            f"{path} has no line for {len(missing)} of {len(files)} images, among them {missing[0]!r}; add them."
        )
    return [rows[file] for file in files]


def _typed(cells: list[str]) -> list[int] | list[float] | list[str]:
    """Cells as whole numbers if all are, else as numbers if all are, else as words."""
    for kind in (int, float):
        try:
            return [kind(cell) for cell in cells]
        except ValueError:
            continue
    return cells
