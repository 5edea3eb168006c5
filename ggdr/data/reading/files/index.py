"""Files that pack many images behind one another: where each lies is looked up once and remembered on disk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from ggdr.cache import cache_folder, write_whole
from ggdr.data.reading.reader import MOST_BYTES, check_size
from ggdr.errors import UserError

MOST_ENTRIES = 2**28
"""most entries of a file; LSUN's largest category holds some three million"""


class Entry(NamedTuple):
    """Where one thing lies in a file."""

    name: str
    start: int
    """byte of the file at which it begins"""
    size: int
    """bytes"""


class Index:
    """The entries of a file, in its own order; held as arrays, since there may be millions."""

    def __init__(self, names: list[str], starts: np.ndarray, sizes: np.ndarray):
        self.names, self.starts, self.sizes = names, starts, sizes

    def __iter__(self) -> Iterator[Entry]:
        return map(Entry, self.names, self.starts.tolist(), self.sizes.tolist())


def load_index(file: Path, scan: Callable[[BinaryIO, int], Iterable[Entry]]) -> Index:
    """The entries that `scan`, given the open file and its size, finds in it; a scan of an unchanged file is kept.

    UserError, one clause, if the file is broken: entries may lie nowhere but in it.
    """
    found = os.stat(file)
    identity = json.dumps([1, scan.__module__, os.path.realpath(file), found.st_size, found.st_mtime_ns])
    kept = cache_folder() / "indexes" / f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}.npz"
    index = known = read_index(kept)
    if index is None:
        with file.open("rb") as opened:
            index = build_index(scan(opened, found.st_size))
    if len(index.starts) and (min(index.starts.min(), index.sizes.min()) < 0 or last_byte(index) > found.st_size):
        raise UserError("it names data that lies beyond its end: it is cut off")
    if known is None:
        write_index(kept, index)
    return index


def last_byte(index: Index) -> int:
    """The byte after the last entry; sizes that no file has must not overflow."""
    return max(start + size for start, size in zip(index.starts.tolist(), index.sizes.tolist(), strict=True))


def build_index(entries: Iterable[Entry]) -> Index:
    """The entries as arrays; UserError if there are more than any file of images has, or numbers beyond 63 bits."""
    names: list[str] = []
    places: list[tuple[int, int]] = []
    for entry in entries:
        names.append(entry.name)
        places.append((entry.start, entry.size))
        if len(names) > MOST_ENTRIES:
            raise UserError(f"it names more than {MOST_ENTRIES:,} entries")
    try:
        table = np.array(places, np.int64).reshape(-1, 2)
    except OverflowError:
        raise UserError("it names data that lies beyond its end") from None
    return Index(names, table[:, 0].copy(), table[:, 1].copy())


def read_index(kept: Path) -> Index | None:
    """The index on disk; None if there is none, or one that is torn."""
    try:
        with np.load(kept, allow_pickle=False) as arrays:
            text = arrays["names"].tobytes().decode("utf-8", "surrogateescape")
            index = Index(text.split("\0")[:-1], arrays["starts"], arrays["sizes"])
    except Exception:  # a torn file may raise anything
        return None
    return index if len(index.names) == len(index.starts) == len(index.sizes) else None


def write_index(kept: Path, index: Index) -> None:
    """Put the index on disk; without a place to keep it, the next one scans again."""
    text = "".join(f"{name}\0" for name in index.names).encode("utf-8", "surrogateescape")
    letters = np.frombuffer(text, np.uint8)

    def write(aside: Path) -> None:
        np.savez(aside, names=letters, starts=index.starts, sizes=index.sizes)

    try:
        write_whole(kept, write)
    except OSError:
        return


def read_range(file: str | Path, start: int, size: int, most: int = MOST_BYTES) -> bytes:
    """These bytes of a file, the first `most` of them; UserError or OSError if it does not hold them."""
    check_size(size)
    size = min(size, most)
    with open(file, "rb") as opened:  # for itself each time: nothing is shared among threads and processes
        opened.seek(start)
        data = opened.read(size)
    if len(data) < size:
        raise UserError("its file has become shorter")
    return data
