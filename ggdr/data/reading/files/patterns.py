"""Sources by more than a path: addresses, and many files in one name (`shard-{000..127}.tar`, `shard-*.tar`)."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator

from ggdr.errors import UserError

BRACES = re.compile(r"\{([^{}]*)\}")
RANGE = re.compile(r"(\d+)\.\.(\d+)")
MOST = 100_000
"""names that braces may stand for"""


def is_address(source: str) -> bool:
    """Whether a source is not of this machine: `protocol://place`."""
    return "://" in source and not source.startswith("file://")


def is_pattern(source: str) -> bool:
    """Whether a name stands for several, and not for the file that is called so."""
    return bool(BRACES.search(source) or glob.has_magic(source)) and not os.path.exists(source)


def is_address_or_pattern(source: str) -> bool:
    """Whether a source holds images though nothing is called so: an address or a pattern."""
    return is_address(source) or is_pattern(source)


def files_matching(source: str) -> list[str]:
    """The files that a pattern stands for, sorted where it leaves the order open.

    UserError if there are none, or if one that braces name is missing.
    """
    found: list[str] = []
    for name in expand_braces(source):
        some = sorted(glob.glob(name)) if glob.has_magic(name) else [name] if os.path.exists(name) else []
        if not some:
            raise UserError(f"no file {name!r}, which {source!r} stands for; correct the pattern.")
        found += some
    return [*dict.fromkeys(found)]


def expand_braces(source: str) -> list[str]:
    """The names that braces stand for, in their order: `{a,b}` and `{000..127}`, with the zeros of the first number.

    UserError if there are more than MOST.
    """
    names = [source]
    while braces := BRACES.search(names[0]):
        parts = list(alternatives(braces[1]))
        names = [name.replace(braces[0], part, 1) for name in names for part in parts]
        if len(names) > MOST:
            raise UserError(f"{source!r} stands for more than {MOST:,} files; give a folder.")
    return names


def alternatives(text: str) -> Iterator[str]:
    """What stands in braces, one by one."""
    for part in text.split(","):
        numbers = RANGE.fullmatch(part)
        if not numbers:
            yield part
            continue
        first, last = numbers.groups()
        if not 0 <= int(last) - int(first) < MOST:
            raise UserError(f"{{{text}}} stands for no files, or for more than {MOST:,}; correct it, or give a folder.")
        yield from (str(number).zfill(len(first)) for number in range(int(first), int(last) + 1))
