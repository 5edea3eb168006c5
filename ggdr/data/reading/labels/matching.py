"""Which file of a source a name in a table means, however it is written: by its path, by a part of it, or more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from ggdr.data.reading.file_types import ARRAY_ENDINGS, image_endings

Parts = tuple[str, ...]
"""the folders of a path, and its last part"""


class Match(NamedTuple):
    """What a table's names mean."""

    files: list[int | None]
    """the file that each name means; None: none, or any of several"""
    bare: list[bool]
    """whether the name means it but for its ending"""


def match(names: Sequence[str], files: Sequence[str], home: Parts = ()) -> Match:
    """The file that each name means.

    `home`: the folders above the source. A name may have `\\` for `/`, begin with `./`, be the end of the file's whole
    path (or all of it), be a path elsewhere that ends as the file's, or share no more than its last part with it; and
    in each case differ in upper and lower case or lack its ending. The rules are tried in this order: the first one
    by which some name means a file holds for all names.
    """
    wanted, own = [path_parts(name) for name in names], [path_parts(file) for file in files]
    for look in (
        lambda: match_ends(own, home),
        lambda: match_paths_elsewhere(own),
        lambda: match_last_parts(own, wanted),
    ):
        rules = look()
        found = [first_match(rules, parts) for parts in wanted]
        if any(place is not None for place, _ in found):
            return Match([place for place, _ in found], [bare for _, bare in found])
    return Match([None] * len(names), [False] * len(names))


Rule = Callable[[Parts], int | None]
"""the file that a path means, by one way of writing it"""


def first_match(rules: Sequence[Rule], parts: Parts) -> tuple[int | None, bool]:
    """What the first of the rules that says something says, and whether it leaves endings out."""
    for number, rule in enumerate(rules):
        if (place := rule(parts)) is not None:
            return place, 3 * number >= 2 * len(rules)
    return None, False


def path_parts(name: str) -> Parts:
    """The parts of a path as any system may write it."""
    path = PurePosixPath(name.strip().replace("\\", "/"))
    return tuple(part for part in path.parts if part not in ("/", ".") and not part.endswith(":"))


def exact_path(parts: Parts) -> Parts:
    """A path as it is written."""
    return parts


def lower_path(parts: Parts) -> Parts:
    """A path in lower case."""
    return tuple(part.casefold() for part in parts)


def bare_path(parts: Parts) -> Parts:
    """A path in lower case, without its ending, where that is one of an image."""
    last = PurePosixPath(*lower_path(parts[-1:]))
    return (*lower_path(parts[:-1]), last.stem if last.suffix in image_endings() | ARRAY_ENDINGS else last.name)


WAYS = (exact_path, lower_path, bare_path)
"""how alike two paths must be, the strictest first"""


class PathEnds:
    """The files by the last parts of their paths, looked up by as many of them as a name has."""

    def __init__(self, paths: Sequence[Parts], way: Callable[[Parts], Parts]):
        self.paths, self.way = paths, way
        self.known: dict[int, dict[Parts, int | None]] = {}

    def __call__(self, parts: Parts) -> int | None:
        """The one file whose path ends so; None if there is none, or several."""
        if not parts:
            return None
        if len(parts) not in self.known:
            self.known[len(parts)] = unique_keys((self.way(path[-len(parts) :]) for path in self.paths), len(parts))
        return self.known[len(parts)].get(self.way(parts))


def unique_keys(keys: Iterable[Parts], length: int) -> dict[Parts, int | None]:
    """Each key of a length -> its place; None where two places have it."""
    found: dict[Parts, int | None] = {}
    for place, key in enumerate(keys):
        if len(key) == length:
            found[key] = None if key in found else place
    return found


def match_ends(own: Sequence[Parts], home: Parts) -> list[Rule]:
    """A name is the end of a file's whole path; within the source it comes before what lies above it."""
    whole = [(*home, *path) for path in own]
    return (
        [rule for way in WAYS for rule in (PathEnds(own, way), PathEnds(whole, way))]
        if home
        else match_relative_ends(own)
    )


def match_relative_ends(own: Sequence[Parts]) -> list[Rule]:
    """The rules by which names match the ends of files' paths, a rule for each way of writing them."""
    return [PathEnds(own, way) for way in WAYS]


def match_paths_elsewhere(own: Sequence[Parts]) -> list[Rule]:
    """A name is a path somewhere else that ends in a file's whole path within the source."""

    def rule(way: Callable[[Parts], Parts]) -> Rule:
        """Return the rule for paths that are written in one way."""
        lengths = sorted({len(path) for path in own}, reverse=True)
        known = {length: unique_keys(map(way, own), length) for length in lengths}

        def look(parts: Parts) -> int | None:
            """The file with the longest such path."""
            found = (known[n].get(way(parts[-n:])) for n in lengths if n <= len(parts))
            return next((place for place in found if place is not None), None)

        return look

    return [rule(way) for way in WAYS]


def match_last_parts(own: Sequence[Parts], wanted: Sequence[Parts]) -> list[Rule]:
    """A name and a file share their last part, which no other name has."""

    def rule(way: Callable[[Parts], Parts]) -> Rule:
        """Return the rule for names that are written in one way."""
        known = unique_keys((way(path)[-1:] for path in own), 1)
        often = Counter(way(parts)[-1:] for parts in wanted)

        def look(parts: Parts) -> int | None:
            """The file of this last part."""
            key = way(parts)[-1:]
            return known.get(key) if often[key] == 1 else None

        return look

    return [rule(way) for way in WAYS]
