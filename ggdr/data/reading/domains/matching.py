"""Which image is whose partner: by their names, in two folders or in a file that lists both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from os.path import commonprefix
from pathlib import Path, PurePosixPath

from ggdr.data.reading.file_types import ARRAY_ENDINGS, image_endings
from ggdr.data.reading.files.folder import ImageFolder
from ggdr.data.reading.labels.base import list_some
from ggdr.data.reading.labels.label_file import decode_text, read_delimited
from ggdr.data.reading.reader import read_file_bytes
from ggdr.errors import UserError

LISTS = (".csv", ".tsv")
"""endings of files that list pairs"""


def match_partners(one: Sequence[str], other: Sequence[str], where: tuple[str, str]) -> list[tuple[int, int]]:
    """The places of partners in two lists of names, in the order of the first.

    Partners are called alike: by their paths, or by their last parts, or by these without what all of a list begin or
    end with, as `_leftImg8bit`; endings and upper case aside. UserError, with the first that lack a partner, unless
    each has one. `where`: what messages call the lists.
    """
    best: tuple[dict[str, int], dict[str, int]] | None = None
    for way in (relative_paths, last_parts, distinctive_parts):
        keys = way(one), way(other)
        places = tuple({key: place for place, key in enumerate(each)} for each in keys)
        if any(len(found) < len(names) for found, names in zip(places, keys, strict=True)):
            continue  # two of a list would be called alike
        if places[0].keys() == places[1].keys():
            return [(place, places[1][key]) for key, place in places[0].items()]
        if best is None or len(places[0].keys() & places[1].keys()) > len(best[0].keys() & best[1].keys()):
            best = places[0], places[1]
    alone: list[list[str]] = [[*one], [*other]]
    if best is not None:
        alone = [
            [one[best[0][k]] for k in best[0] if k not in best[1]],
            [other[best[1][k]] for k in best[1] if k not in best[0]],
        ]
    lacking = " and ".join(
        f"{list_some(names[:3])} of {place!r}" for names, place in zip(alone, where, strict=True) if names
    )
    raise UserError(
        f"{where[0]!r} has {len(one):,} images and {where[1]!r} {len(other):,}, and no partner of the same name have"
        f" {lacking}; call partners alike, or list them in a .csv of two paths."
    )


def bare(path: PurePosixPath) -> PurePosixPath:
    """A path in lower case, without its ending."""
    lower = PurePosixPath(str(path).casefold())
    return lower.with_suffix("") if lower.suffix in image_endings() | ARRAY_ENDINGS else lower


def relative_paths(names: Sequence[str]) -> list[str]:
    """The paths below the folder that all lie in."""
    paths = [bare(PurePosixPath(name)) for name in names]
    shared = commonprefix([path.parts[:-1] for path in paths])
    return ["/".join(path.parts[len(shared) :]) for path in paths]


def last_parts(names: Sequence[str]) -> list[str]:
    """The last parts of the paths."""
    return [bare(PurePosixPath(name)).name for name in names]


def distinctive_parts(names: Sequence[str]) -> list[str]:
    """The last parts without the words that all begin or end with."""
    words = last_parts(names)
    head = re.match(r".*[_.\- ]", commonprefix(words))
    tail = re.search(r"[_.\- ].*$|x\d+$", commonprefix([word[::-1] for word in words])[::-1])  # as 0801x4
    start, end = len(head[0]) if head else 0, len(tail[0]) if tail else 0
    return [word[start : len(word) - end] if len(word) > start + end else word for word in words]


class ListedFiles(ImageFolder):
    """The images of a folder that a file lists, in its order; one may be listed several times."""

    kind = "list of files"

    def __init__(self, folder: str, names: Sequence[str]):
        self.source, self.names = folder, [*names]


def read_pairs(file: Path) -> tuple[ListedFiles, ListedFiles]:
    """The images that a .csv or .tsv of two paths lists, in its folder or below.

    UserError if it holds no two columns of paths, or names what is not there, or lies elsewhere.
    """
    table = read_delimited(str(file), decode_text(str(file), read_file_bytes(file)))
    widths = {len(row) for row in table.rows}
    rows = table.rows
    like = [[ends_like_image(cell) for cell in row] for row in rows]
    if len(widths) > 1 or sum(like[-1]) != 2:
        raise UserError(f"{str(file)!r} lists no pairs; each line is to be: path of A, path of B.")
    first, second = (place for place, fits in enumerate(like[-1]) if fits)
    rows = rows if like[0][first] and like[0][second] else rows[1:]  # the first may be a heading
    columns = [[row[first] for row in rows], [row[second] for row in rows]]
    for name in (name for column in columns for name in column):
        check_listed(file, name)
    return ListedFiles(str(file.parent), columns[0]), ListedFiles(str(file.parent), columns[1])


def ends_like_image(cell: str) -> bool:
    """Whether a cell may be the path of an image."""
    return PurePosixPath(cell.lower()).suffix in image_endings() | ARRAY_ENDINGS


def check_listed(file: Path, name: str) -> None:
    """UserError unless a listed file is there, in the list's folder or below: a list that was downloaded has no say."""
    found = Path(file.parent, name)
    if not found.is_file():
        raise UserError(f"{str(file)!r} lists {name!r}, which is not there; its paths start from its own folder.")
    if not found.resolve().is_relative_to(file.parent.resolve()):
        raise UserError(
            f"{str(file)!r} lists {name!r}, which lies outside of its folder and is not opened; put the list above the"
            " images."
        )
