"""Files of labels: csv, tsv and the like, metadata.jsonl, and NVIDIA's dataset.json."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from ggdr.data.reading.file_types import image_endings
from ggdr.data.reading.labels.base import MOST_CLASSES, Kind, Labels, list_some, missing_or_none, vector_labels
from ggdr.data.reading.labels.column import is_missing, labels_from_column
from ggdr.data.reading.labels.matching import Match, Parts, match
from ggdr.documents import one_line
from ggdr.errors import UserError, setting

TABLES = (".csv", ".tsv", ".json", ".jsonl")
"""endings of files that may hold labels"""
USUAL_NAMES = ("dataset.json", "metadata.jsonl", "metadata.csv", "labels.csv", "labels.tsv")
"""names under which labels lie among images"""
DELIMITERS = "\t;,|"
NAME_COLUMNS = frozenset("file_name filename file name path image image_path img image_id id".split())
"""headings of the column of names"""
PROBED = 1000
"""rows by which the column of names is found"""
FORM = "each line is to be: file name, label, ..."


class NameTable(NamedTuple):
    """Rows of a name and cells."""

    where: str
    """what messages call its file"""
    heading: list[str]
    """names of the columns; empty: the first row may say them, or they have none"""
    rows: list[list[Any]]
    """cells, of which one column is the names of files"""


def read_labels(
    name: str, data: bytes, files: Sequence[str], home: Parts = (), columns: Sequence[str] = (), kind: Kind = "auto"
) -> Labels:
    """The labels of files that a file called `name` holds; those it has no line for have none.

    `home`: the folders above the source. `columns`: those that are the label; none: all but the names'. UserError if
    it cannot be read, names none of the files, or disagrees with itself.
    """
    ending = PurePosixPath(name).suffix.lower()
    if ending == ".json":
        return read_dataset_json(name, data, files, home, kind)
    table = read_json_lines(name, data) if ending == ".jsonl" else read_delimited(name, decode_text(name, data))
    found, place, table = match_names(table, files, home)
    heads = [head for number, head in enumerate(table.heading) if number != place]
    wanted = [*columns] or heads
    if lacking := [column for column in wanted if column not in heads]:
        raise UserError(f"{name} has no column {lacking[0]!r}; its columns are {list_some(heads)}.")
    if not wanted:
        raise UserError(f"{name} has no label column; {FORM}")
    picks = [table.heading.index(column) for column in wanted]
    if len(picks) == 1:
        cells = [row[picks[0]] for row in table.rows]
        values = [None if is_missing(cell) else cell for cell in cells]
    else:
        chosen_cells = ([row[place] for place in picks] for row in table.rows)
        values = [None if any(map(is_missing, cells)) else cells for cells in chosen_cells]
    names = [str(row[place]) for row in table.rows]
    chosen, unused = join_labels(name, names, values, found, files)
    if len(picks) == 1:
        return labels_from_column(parse_numbers(chosen), wanted[0], kind=kind)._replace(unused=unused)
    return labels_from_columns(name, chosen, wanted, kind)._replace(unused=unused)


def labels_from_columns(name: str, rows: list[Any], columns: list[str], kind: Kind) -> Labels:
    """Several columns at once."""
    try:
        numbers = [None if row is None else [float(parse_number(cell)) for cell in row] for row in rows]
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{name}: several label columns must hold numbers ({one_line(error, 80)}); choose one of"
            f" {list_some(columns)}, as {setting('labels')} {name}:{columns[0]}."
        ) from error
    labels = vector_labels(numbers, columns)
    if kind == "classes" and labels.values.ndim > 1:
        raise UserError(
            f"{name}: columns {list_some(columns)} are no classes, since some row has not one 1 and else zeros; choose"
            f" one column, as {setting('labels')} {name}:{columns[0]}."
        )
    return labels


def join_labels(
    name: str, names: list[str], values: list[Any], found: Match, files: Sequence[str]
) -> tuple[list[Any], str]:
    """The value of each file, None for those without, and a name that means none; UserError where rows disagree."""
    of: dict[int, Any] = {}
    by: dict[int, str] = {}
    for written, value, file in zip(names, values, found.files, strict=True):
        if file is None:
            continue
        if file in of and of[file] != value:
            raise UserError(
                f"{name} has two labels for {files[file]!r}: {one_line(repr(of[file]), 60)} (by {by[file]!r}) and"
                f" {one_line(repr(value), 60)} (by {written!r}); remove one."
            )
        of[file], by[file] = value, written
    unused = next((written for written, file in zip(names, found.files, strict=True) if file is None), "")
    return [of.get(file) for file in range(len(files))], unused


def match_names(table: NameTable, files: Sequence[str], home: Parts) -> tuple[Match, int, NameTable]:
    """What the names of a table mean, their column, and the table without its heading; UserError if they mean none."""
    widths = {len(row) for row in table.rows} | ({len(table.heading)} if table.heading else set())
    if len(widths) > 1:
        width = len(table.heading or table.rows[0])
        ragged = next(row for row in table.rows if len(row) != width)
        raise UserError(
            f"{table.where}: a line has {len(ragged) - 1} labels where {width - 1} are due:"
            f" {one_line(', '.join(map(str, ragged)), 80)}."
        )
    place = name_column(table, files, home)
    found = match([str(row[place]) for row in table.rows], files, home)
    if all(file is None for file in found.files):
        sample = str(table.rows[-1][place])
        raise UserError(
            f"{table.where} names none of the {len(files)} images: it has names such as {sample!r:.120}, and the images"
            f" are called {files[0]!r:.120}; write one as the other."
        )
    if table.heading:
        return found, place, table
    if found.files[0] is None or found.bare[0] and not all(found.bare):
        heading = [str(cell) for cell in table.rows[0]]
        return Match(found.files[1:], found.bare[1:]), place, table._replace(heading=heading, rows=table.rows[1:])
    columns = [*map(str, range(len(table.rows[0]) - 1))]
    return found, place, table._replace(heading=[*columns[:place], "file", *columns[place:]])


def name_column(table: NameTable, files: Sequence[str], home: Parts) -> int:
    """The column of names: one that is called so, or else the one of which most cells mean files, the first of such."""
    heads = [head.casefold() for head in table.heading or map(str, table.rows[0])]
    if "file_name" in heads:  # the convention of Hugging Face's imagefolder
        return heads.index("file_name")
    counts = []
    for place in range(len(heads)):
        found = match([str(row[place]) for row in table.rows[:PROBED]], files, home)
        counts.append((sum(file is not None for file in found.files), heads[place] in NAME_COLUMNS))
    if counts[0][0]:
        return 0
    return counts.index(max(counts))


def parse_numbers(cells: list[Any]) -> list[Any]:
    """Cells as numbers if all that are there are; else as they are."""
    try:
        return [None if cell is None else parse_number(cell) for cell in cells]
    except (TypeError, ValueError):
        return cells


def parse_number(cell: Any) -> Any:
    """A cell as a number, whole if it is; what is no text as it is. UserError if it is none."""
    if not isinstance(cell, str):
        return cell
    text = cell.replace(",", ".") if re.fullmatch(r"[-+]?\d+,\d+", cell) else cell
    try:
        return int(text)
    except ValueError:
        return float(text)


def decode_text(name: str, data: bytes) -> str:
    """The text of a file; UserError if it is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 text ({error.reason}); save it as UTF-8 csv.") from error


def read_delimited(name: str, text: str) -> NameTable:
    """A table of lines with a delimiter; UserError if it is none."""
    delimiter = "\t" if name.lower().endswith(".tsv") and "\t" in text else guess_delimiter(text)
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = [[cell.strip() for cell in row] for row in lines]
    except csv.Error as error:
        raise UserError(f"{name} is no csv ({one_line(error)}); {FORM}") from error
    rows = [row for row in rows if any(row)]
    if not rows or max(map(len, rows)) < 2:
        raise UserError(f"{name} has no label column; {FORM}")
    return NameTable(name, [], rows)


def guess_delimiter(text: str) -> str:
    """The delimiter by which the first lines have the same number of cells, of which the first ends like an image."""
    lines = [line for line in text[: 2**16].splitlines() if line.strip()][:20]

    def merit(delimiter: str) -> tuple[bool, int, int]:
        """How well a delimiter fits."""
        rows = [*csv.reader(lines, delimiter=delimiter)]
        names = sum(PurePosixPath(cell.strip().lower()).suffix in image_endings() for row in rows for cell in row)
        widths = {len(row) for row in rows}
        return len(widths) == 1 and widths != {1}, names, max(widths, default=0)

    try:
        return max(DELIMITERS, key=merit)
    except csv.Error:
        return ","


def read_json_lines(name: str, data: bytes) -> NameTable:
    """A file of one object a line, of which `file_name` names the image; UserError if it is none."""
    rows: list[dict[str, Any]] = []
    for place, line in enumerate(decode_text(name, data).splitlines(), 1):
        if not line.strip():
            continue
        row = parse_json(f"{name}, line {place}", line)
        if not isinstance(row, dict):
            raise UserError(f'{name}, line {place}: it holds no object; each line is to be {{"file_name": ..., ...}}.')
        rows.append(row)
    heading = [*dict.fromkeys(key for row in rows for key in row)]
    if len(heading) < 2:
        raise UserError(f'{name} has no labels; each line is to be {{"file_name": ..., "label": ...}}.')
    return NameTable(name, heading, [[row.get(key) for key in heading] for row in rows])


def parse_json(where: str, text: str) -> Any:
    """The JSON of a text; UserError if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is no JSON: {one_line(error, 80)}.") from error


def read_dataset_json(name: str, data: bytes, files: Sequence[str], home: Parts, kind: Kind) -> Labels:
    """The labels of NVIDIA's data sets: {"labels": [[file name, class number or vector], ...]}, or null for none."""
    found = parse_json(name, decode_text(name, data))
    form = '{"labels": [[file name, class number or vector], ...]}'
    if not isinstance(found, dict) or "labels" not in found:
        raise UserError(f"{name} holds no labels; it is to be {form}.")
    if found["labels"] is None:
        raise UserError(f"{name} says that its images have no labels (null); leave {setting('labels')} out.")
    pairs = found["labels"]
    fits = isinstance(pairs, list) and all(isinstance(p, list) and len(p) == 2 and isinstance(p[0], str) for p in pairs)
    if not fits or not pairs:
        raise UserError(f"{name} holds no list of names and labels; it is to be {form}.")
    names, values = [pair[0] for pair in pairs], [None if is_missing(pair[1]) else pair[1] for pair in pairs]
    means, _, _ = match_names(NameTable(name, ["file", "label"], [[*pair] for pair in pairs]), files, home)
    chosen, unused = join_labels(name, names, values, means, files)
    there = [value for value in values if value is not None]
    if kind != "continuous" and there and all(type(value) is int and value >= 0 for value in there):
        return numbered_labels(name, chosen, max(there))._replace(unused=unused)
    return labels_from_column(chosen, "label", kind=kind)._replace(unused=unused)


def numbered_labels(name: str, values: list[int | None], last: int) -> Labels:
    """Class numbers as they are, 0 to `last`, also where no image has one: so wide are networks trained with them."""
    if last >= MOST_CLASSES:
        raise UserError(f"{name} has a class number {last:,}; {MOST_CLASSES:,} classes are the most.")
    missing = np.array([value is None for value in values], bool)
    return Labels(
        np.array([value or 0 for value in values], np.int64), tuple(map(str, range(last + 1))), missing_or_none(missing)
    )
