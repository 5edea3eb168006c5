"""LMDB files, such as LSUN's: each value an encoded image, read in place.

The format is read here rather than by its library, which trusts a file: cut off or damaged, it ends the process.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ggdr.data.reading.files.base import FileReader
from ggdr.data.reading.files.index import Entry, load_index, read_range
from ggdr.data.reading.reader import HEAD_BYTES, Columns, failure_reason
from ggdr.errors import UserError

FILE = "data.mdb"
"""what the file is called in its folder"""
MAGIC, VERSION = 0xBEEFC0DE, 1
PAGE_HEADER = struct.Struct("<QHHHH")
"""head of a page: its number, -, flags, where its list of nodes ends, -"""
NODE_HEADER = struct.Struct("<HHHH")
"""head of a node: low and high half of a size or of a page's number, flags (or the number's top), bytes of the key"""
META = struct.Struct("<II QQ" + "IHHQQQQQ" * 2 + "QQ")
"""magic, version, -, -; of the free pages' tree: page size, -; of the data's: -, root; last page, age"""
BRANCH, LEAF = 1, 2
"""flags of pages"""
ELSEWHERE, TREE = 1, 2
"""flags of leaf nodes: the value has its own pages; it is its own tree"""
EMPTY = 2**64 - 1
"""the root of a tree without entries"""
LEAST_BYTES = 32
"""bytes of an image; values below are notes, such as their number under `length`"""


class LMDBFile(FileReader):
    """The values of an LMDB file, by their keys."""

    kind = "LMDB"
    form = "an LMDB"

    @staticmethod
    def fits(source: str) -> bool:
        path = Path(source)
        return (path / FILE).is_file() or path.is_file() and path.suffix.lower() in (".mdb", ".lmdb")

    def __init__(self, source: str, columns: Columns):
        self.source, path = source, Path(source)
        self.file = path / FILE if path.is_dir() else path
        try:
            index = load_index(self.file, scan_lmdb)
        except (OSError, ValueError) as error:
            raise UserError(
                f"{source!r} is no readable LMDB ({failure_reason(error)}); download or copy it again."
            ) from error
        images = [place for place, size in enumerate(index.sizes.tolist()) if size >= LEAST_BYTES]
        if not images:
            raise UserError(f"LMDB {source!r} holds no images, only {len(index.names)} values of a few bytes.")
        self.names = [index.names[place] for place in images]
        self.places = {name: item for item, name in enumerate(self.names)}
        self.starts, self.sizes = index.starts[images], index.sizes[images]

    def stamp(self, name: str) -> str:
        return str(self.sizes[self.places[name]])

    def read(self, item: int) -> bytes:
        return read_range(self.file, int(self.starts[item]), int(self.sizes[item]))

    def read_file(self, name: str) -> bytes:
        return self.read(self.places[name])

    def head(self, item: int) -> bytes:
        return read_range(self.file, int(self.starts[item]), int(self.sizes[item]), HEAD_BYTES)


def scan_lmdb(file: BinaryIO, size: int) -> Iterator[Entry]:
    """The entries of the main tree, in the order of their keys; UserError if the file is none or is damaged."""
    page_size, root = newest_state(file, size)
    waiting, seen = [] if root == EMPTY else [root], 0
    while waiting:
        number, seen = waiting.pop(), seen + 1
        if seen * page_size > size or (number + 1) * page_size > size:
            raise UserError("its pages lie in a circle, or beyond its end: it is cut off or damaged")
        file.seek(number * page_size)
        page = file.read(page_size)
        flags = PAGE_HEADER.unpack_from(page)[2]
        if flags & BRANCH:
            waiting += [low | high << 16 | top << 32 for _, low, high, top, _ in reversed([*page_nodes(page)])]
        elif flags & LEAF:
            yield from leaf_entries(page, number * page_size, page_size)
        else:
            raise UserError(f"its page {number} is no page of a tree: it is damaged")


def newest_state(file: BinaryIO, size: int) -> tuple[int, int]:
    """Page size and root of the newer of the two states that a file keeps; UserError if they cannot be read."""
    states = []
    start = 0
    for _ in range(2):
        file.seek(start + PAGE_HEADER.size)
        data = file.read(META.size)
        if len(data) < META.size:
            raise UserError("it is shorter than its own head")
        magic, version, _, _, page_size, *rest = META.unpack(data)
        if magic != MAGIC:
            raise UserError("it does not begin as an LMDB file of this kind of machine")
        if version != VERSION:
            raise UserError(f"it is of version {version} of its format, and known is {VERSION}")
        root, last, age = rest[-3:]
        states.append((age, page_size, root, last))
        start = start or page_size
    _, page_size, root, last = max(states)
    if not 256 <= page_size <= 2**16 or page_size & page_size - 1:
        raise UserError(f"it says that its pages have {page_size} bytes")
    if (last + 1) * page_size > size:
        raise UserError(f"it has {size:,} bytes of {(last + 1) * page_size:,}: it is cut off")
    return page_size, root


def page_nodes(page: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Place of each node in its page, and the numbers of its head; UserError if it lies outside."""
    end = PAGE_HEADER.unpack_from(page)[3]
    if not PAGE_HEADER.size <= end <= len(page):
        raise UserError("a page's list of nodes is longer than the page: it is damaged")
    for (place,) in struct.iter_unpack("<H", page[PAGE_HEADER.size : end & ~1]):
        if place + NODE_HEADER.size > len(page):
            raise UserError("a node lies outside its page: it is damaged")
        yield place, *NODE_HEADER.unpack_from(page, place)


def leaf_entries(page: bytes, start: int, page_size: int) -> Iterator[Entry]:
    """The entries of a leaf page that begins at byte `start`."""
    for place, low, high, flags, length in page_nodes(page):
        if flags & TREE:
            continue
        key = place + NODE_HEADER.size
        value, size = key + length, low | high << 16
        if value + (8 if flags & ELSEWHERE else size) > len(page):
            raise UserError("a value lies outside its page: it is damaged")
        where = start + value
        if flags & ELSEWHERE:
            where = int.from_bytes(page[value : value + 8], "little") * page_size + PAGE_HEADER.size
        yield Entry(key_text(page[key:value]), where, size)


def key_text(key: bytes) -> str:
    """A key as text; in hex if it is none."""
    text = key.decode("utf-8", "replace")
    return text if text.isprintable() and "\ufffd" not in text else key.hex()
