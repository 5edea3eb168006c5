"""Which file of a source a name in a table means, however it is written: by its path, by a part of it, or more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from ggdr.data.reading.file_types import ARRAYS, endings

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
    wanted, own = [parts_of(name) for name in names], [parts_of(file) for file in files]
    for look in (lambda: ends_of(own, home), lambda: elsewhere(own), lambda: last_parts(own, wanted)):
        rules = look()
        found = [first(rules, parts) for parts in wanted]
        if any(place is not None for place, _ in found):
            return Match([place for place, _ in found], [bare for _, bare in found])
    return Match([None] * len(names), [False] * len(names))


Rule = Callable[[Parts], int | None]
"""the file that a path means, by one way of writing it"""


def first(rules: Sequence[Rule], parts: Parts) -> tuple[int | None, bool]:
    """What the first of the rules that says something says, and whether it leaves endings out."""
    for number, rule in enumerate(rules):
        if (place := rule(parts)) is not None:
            return place, 3 * number >= 2 * len(rules)
    return None, False


def parts_of(name: str) -> Parts:
    """The parts of a path as any system may write it."""
    path = PurePosixPath(name.strip().replace("\\", "/"))
    return tuple(part for part in path.parts if part not in ("/", ".") and not part.endswith(":"))


def exactly(parts: Parts) -> Parts:
    """A path as it is written."""
    return parts


def folded(parts: Parts) -> Parts:
    """A path in lower case."""
    return tuple(part.casefold() for part in parts)


def bare(parts: Parts) -> Parts:
    """A path in lower case, without its ending, where that is one of an image."""
    last = PurePosixPath(*folded(parts[-1:]))
    return (*folded(parts[:-1]), last.stem if last.suffix in endings() | ARRAYS else last.name)


WAYS = (exactly, folded, bare)
"""how alike two paths must be, the strictest first"""


class Ends:
    """The files by the last parts of their paths, looked up by as many of them as a name has."""

    def __init__(self, paths: Sequence[Parts], way: Callable[[Parts], Parts]):
        self.paths, self.way = paths, way
        self.known: dict[int, dict[Parts, int | None]] = {}

    def __call__(self, parts: Parts) -> int | None:
        """The one file whose path ends so; None if there is none, or several."""
        if not parts:
            return None
        if len(parts) not in self.known:
            self.known[len(parts)] = unique((self.way(path[-len(parts) :]) for path in self.paths), len(parts))
        return self.known[len(parts)].get(self.way(parts))


def unique(keys: Iterable[Parts], length: int) -> dict[Parts, int | None]:
    """Each key of a length -> its place; None where two places have it."""
    found: dict[Parts, int | None] = {}
    for place, key in enumerate(keys):
        if len(key) == length:
            found[key] = None if key in found else place
    return found


def ends_of(own: Sequence[Parts], home: Parts) -> list[Rule]:
    """A name is the end of a file's whole path; within the source it comes before what lies above it."""
    whole = [(*home, *path) for path in own]
    return [rule for way in WAYS for rule in (Ends(own, way), Ends(whole, way))] if home else ways_of(own)


def ways_of(own: Sequence[Parts]) -> list[Rule]:
    """The rules by which names match the ends of files' paths, a rule for each way of writing them."""
    return [Ends(own, way) for way in WAYS]


def elsewhere(own: Sequence[Parts]) -> list[Rule]:
    """A name is a path somewhere else that ends in a file's whole path within the source."""

    def rule(way: Callable[[Parts], Parts]) -> Rule:
        lengths = sorted({len(path) for path in own}, reverse=True)
        known = {length: unique(map(way, own), length) for length in lengths}

        def look(parts: Parts) -> int | None:
            """The file with the longest such path."""
            found = (known[n].get(way(parts[-n:])) for n in lengths if n <= len(parts))
            return next((place for place in found if place is not None), None)

        return look

    return [rule(way) for way in WAYS]


def last_parts(own: Sequence[Parts], wanted: Sequence[Parts]) -> list[Rule]:
    """A name and a file share their last part, which no other name has."""

    def rule(way: Callable[[Parts], Parts]) -> Rule:
        known = unique((way(path)[-1:] for path in own), 1)
        often = Counter(way(parts)[-1:] for parts in wanted)

        def look(parts: Parts) -> int | None:
            """The file of this last part."""
            key = way(parts)[-1:]
            return known.get(key) if often[key] == 1 else None

        return look

    return [rule(way) for way in WAYS]
