"""Where the two images of each pair are: side by side, in two folders, columns or sources, or in a list."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ggdr.data.images import ImageFiles
from ggdr.data.reading.domains.layout import (
    Layout,
    check_apart,
    files_of,
    given_apart,
    named,
    names_in,
    read_split,
    two_columns,
    two_folders,
    two_patterns,
)
from ggdr.data.reading.domains.matching import LISTS, match_partners, read_pairs
from ggdr.data.reading.files.base import FileReader
from ggdr.data.reading.opening import open_files, select_files, select_labels
from ggdr.data.reading.reader import Reader
from ggdr.errors import UserError, setting

if TYPE_CHECKING:
    from ggdr.data.pairs import Pairs

SIDE_BY_SIDE = "side_by_side"


class Side(NamedTuple):
    """One image of each pair."""

    files: ImageFiles
    reader: Reader
    items: np.ndarray
    """which item of the reader it is, of each pair"""

    def take(self, pairs: np.ndarray) -> Side:
        """The side of some of the pairs."""
        return self._replace(items=self.items[pairs])

    def name(self, pair: int) -> str:
        """What messages call the image of a pair."""
        return self.reader.name(int(self.items[pair]))


class PairLayout(NamedTuple):
    """The sides of pairs."""

    kind: str
    """what reports call it"""
    a: Side
    b: Side | None
    """None: it is the right half of each picture of `a`"""
    names: tuple[str, str]
    """what a and b are called"""


def find_pairs(whole: Pairs) -> PairLayout:
    """The pairs of a set, all of them; UserError, in one sentence, if there are none or an image lacks its partner."""
    if whole.layout == "csv" or whole.layout == "auto" and whole.source.lower().endswith(LISTS):
        return listed_pairs(whole)
    found = given_apart(whole)
    if found is None and whole.layout in ("auto", "folders"):
        found = two_folders(whole) or two_patterns(whole)
    if found is None and whole.layout in ("auto", "columns"):
        found = two_columns(whole)
    if found is None and whole.layout in ("auto", SIDE_BY_SIDE):
        files = files_of(whole, whole.a)
        reader = open_files(files)
        side = Side(files, reader, select_files(reader, np.arange(len(reader)), files.files))
        names = named(whole, Layout("", files, files, names_in(whole.source))).names
        return PairLayout("pictures side by side", side, None, names)
    if found is None:
        raise UserError(f"{whole.source!r} has no two {whole.layout}; leave {setting('layout')} out, or give another.")
    check_apart(found)
    found = named(whole, found)
    a, b = open_side(found.a), open_side(found.b)
    return PairLayout(found.kind, *partners(a, b), found.names)


def open_side(files: ImageFiles) -> Side:
    """One side, in the order of its source."""
    reader = open_files(files)
    usable = select_labels(reader, files)[1] if files.only else np.arange(len(reader))
    return Side(files, reader, select_files(reader, usable, files.files))


def partners(a: Side, b: Side) -> tuple[Side, Side]:
    """Both sides in the order of the first: by names where they are files, else by rows; UserError if one lacks one."""
    if isinstance(a.reader, FileReader) and isinstance(b.reader, FileReader):
        where = place_name(a.files), place_name(b.files)
        one, other = ([side.name(pair) for pair in range(len(side.items))] for side in (a, b))
        found = np.array(match_partners(one, other, where))
        return a.take(found[:, 0]), b.take(found[:, 1])
    if len(a.items) != len(b.items):
        raise UserError(
            f"{place_name(a.files)!r} has {len(a.items):,} images and {place_name(b.files)!r} {len(b.items):,}, and"
            " rows are partners; give as many of each."
        )
    return a, b


def place_name(files: ImageFiles) -> str:
    """What messages call the place of one side."""
    inner = files.image_column or files.files or files.only or files.config
    return f"{files.source} ({inner})" if inner else files.source


def listed_pairs(whole: Pairs) -> PairLayout:
    """The pairs that a file of two paths lists."""
    file = Path(os.path.expanduser(whole.source))
    if not file.is_file():
        raise UserError(f"no file {whole.source!r}; give the path of a .csv of two paths by {setting('source')}.")
    if read_split(whole) not in ("train", "all"):
        raise UserError(f"{whole.source!r} has no split {whole.split!r}; {setting('hold_out')} 100 makes one.")
    sides = []
    for domain, reader in zip((whole.a, whole.b), read_pairs(file), strict=True):
        sides.append(Side(replace(files_of(whole, domain), source=str(file)), reader, np.arange(len(reader))))
    return PairLayout(
        "list of pairs", sides[0], sides[1], named(whole, Layout("", sides[0].files, sides[1].files)).names
    )
