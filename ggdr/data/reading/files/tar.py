"""Images in tar archives, one or many shards (WebDataset), read in place: nothing is ever unpacked to disk."""

from __future__ import annotations

import json
import os
import tarfile
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ggdr.data.reading.file_types import group_files, system_folder
from ggdr.data.reading.files.base import FileReader, require_images
from ggdr.data.reading.files.folder import files_below
from ggdr.data.reading.files.index import Entry, Index, load_index, read_range
from ggdr.data.reading.files.patterns import files_matching, is_pattern
from ggdr.data.reading.labels.base import Kind, Labels
from ggdr.data.reading.labels.column import labels_from_column
from ggdr.data.reading.labels.folders import FOLDERS, TOP_FOLDERS, labels_from_folders
from ggdr.data.reading.reader import Columns, failure_reason
from ggdr.documents import one_line
from ggdr.errors import UserError, setting

COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
CLASS, RECORD = "cls", "json"
"""endings of the members beside an image that hold its class, and an object of its facts"""
MOST_LABEL_BYTES = 2**20
"""largest size of such a member"""


class TarArchive(FileReader):
    """The image members of one tar or of many, by their path within it; labels may be members beside them."""

    kind = "tar"
    form = "a .tar or many (shards-{000..127}.tar)"

    @staticmethod
    def fits(source: str) -> bool:
        if is_tar(source):
            return is_pattern(source) or os.path.isfile(source)
        return os.path.isdir(source) and holds_only_shards(source)

    def __init__(self, source: str, columns: Columns):
        self.source, shards = source, list_shards(source)
        indexes = {shard: index_shard(shard) for shard in shards}
        above = os.path.commonpath([os.path.dirname(shard) for shard in shards])
        where = {shard: f"{os.path.relpath(shard, above)}/" if len(shards) > 1 else "" for shard in shards}
        named = (where[shard] + name for shard, index in indexes.items() for name in index.names)
        self.rows = {name: row for row, name in enumerate(named)}  # of two of one name, the last counts
        self.shards, self.firsts = shards, np.cumsum([0, *(len(index.names) for index in indexes.values())])
        self.starts = np.concatenate([index.starts for index in indexes.values()])
        self.sizes = np.concatenate([index.sizes for index in indexes.values()])
        images, others, self.hidden = require_images(self.rows, source, self.kind, {})
        self.unread = {end: count for end, count in others.items() if end not in (f".{CLASS}", f".{RECORD}")}
        self.names = select_ending(images, columns.image, source)
        self.keep_split(columns.split)

    def stamp(self, name: str) -> str:
        return str(self.sizes[self.rows[name]])

    def read_start(self, name: str, most: int) -> bytes:
        row = self.rows[name]
        shard = int(np.searchsorted(self.firsts, row, "right")) - 1
        return read_range(self.shards[shard], int(self.starts[row]), int(self.sizes[row]), most)

    def paths(self) -> Iterable[str]:
        return self.rows

    def labels(self, how: str, kind: Kind = "auto") -> Labels:
        """Labels from members that end in `.cls`, from a field of those that end in `.json`, or as of other files."""
        ending, _, field = how.partition(".")
        if how == CLASS or ending == RECORD and field:
            return labels_from_column(self._read_labels(ending, field), how, kind=kind)
        if how in (FOLDERS, TOP_FOLDERS):  # within the shards: these are no classes
            inner = [name.partition("/")[2] if len(self.shards) > 1 else name for name in self.names]
            return labels_from_folders(inner, forced=how == TOP_FOLDERS)
        return super().labels(how, kind)

    def label_choices(self) -> list[str]:
        key = split_name(self.names[0])[0]
        choices = [CLASS] if f"{key}.{CLASS}" in self.rows else []
        if f"{key}.{RECORD}" in self.rows:
            facts = self._read_record(self.names[0])
            choices += [f"{RECORD}.{field}" for field, value in facts.items() if type(value) is int]
        return choices or super().label_choices()

    def _read_labels(self, ending: str, field: str) -> list[Any]:
        """The label of each image, None where it has none; UserError, with those there are, if none has one."""
        if ending == RECORD:
            found = [self._read_record(name).get(field) for name in self.names]
        else:
            found = [parse_class(self._read_text(name, ending)) for name in self.names]
        if any(label is not None for label in found):
            return found
        there = ", ".join(self.label_choices()) or "none"
        raise UserError(
            f"labels {ending}{field and '.'}{field}: no member beside an image holds them; labels: {there}."
        )

    def _read_record(self, name: str) -> dict[str, Any]:
        """The object in the member beside the image of this name; empty if there is none."""
        try:
            found = json.loads(self._read_text(name, RECORD) or "{}")
        except (RecursionError, ValueError) as error:
            raise UserError(f"{split_name(name)[0]}.{RECORD} cannot be read: {one_line(error)}.") from error
        if not isinstance(found, dict):
            raise UserError(f"{split_name(name)[0]}.{RECORD} holds no object of named fields.")
        return found

    def _read_text(self, name: str, ending: str) -> str:
        """What the member of this ending beside an image holds; empty if there is none."""
        member = f"{split_name(name)[0]}.{ending}"
        return self.read_start(member, MOST_LABEL_BYTES).decode("utf-8", "replace") if member in self.rows else ""


def parse_class(text: str) -> int | str | None:
    """A class as its member holds it: a number, a word, or nothing."""
    word = text.strip()
    return int(word) if word.removeprefix("-").isdecimal() and len(word) < 20 else word or None


def holds_only_shards(folder: str) -> bool:
    """Whether there are tars in a folder or one folder deeper, and no images anywhere in it."""
    deeper = (path for name in os.listdir(folder) if os.path.isdir(path := os.path.join(folder, name)))  # no loops
    near = [name for place in (folder, *deeper) for name in list_folder(place)]
    return any(map(is_tar, near)) and not group_files(near).images and not group_files(files_below(folder)).images


def list_folder(folder: str) -> list[str]:
    """What is in a folder; nothing if it cannot be looked into."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def is_tar(name: str) -> bool:
    """Whether a file is called like a tar, packed or not."""
    return name.lower().endswith((".tar", *COMPRESSED))


def list_shards(source: str) -> list[str]:
    """The files that a source names, in the order of their names; UserError if one is missing or compressed."""
    if os.path.isdir(source):
        names = [name for name in sorted(files_below(source)) if is_tar(name) and not system_folder(name)]
        plain = [name for name in names if name.lower().endswith(".tar")]
        found = [os.path.join(source, name) for name in plain or names]
    else:
        found = files_matching(source) if is_pattern(source) else [source]
    packed = next((file for file in found if file.lower().endswith(COMPRESSED)), None)
    if packed:
        raise UserError(
            f"{packed!r} is compressed, so that its images cannot be read in any order; unpack it to a plain"
            " .tar once, as with gunzip."
        )
    return found


def index_shard(shard: str) -> Index:
    """The members of a tar; UserError if it is none. One that may be cut off between two members gives a warning."""
    try:
        index = load_index(Path(shard), scan_tar)
        if any(read_range(shard, os.path.getsize(shard) - tarfile.BLOCKSIZE, tarfile.BLOCKSIZE)):
            warnings.warn(f"{shard!r} ends without the mark that ends a tar: it may be cut off", stacklevel=2)
        return index
    except (OSError, ValueError) as error:
        raise UserError(
            f"{shard!r} is no readable tar ({failure_reason(error)}); download or pack it again."
        ) from error


def scan_tar(file: BinaryIO, size: int) -> Iterator[Entry]:
    """The files in a tar; UserError if it is none, is damaged or cut off."""
    try:
        archive = tarfile.open(fileobj=file, mode="r:")
        yield from members(archive)
    except Exception as error:  # an edited head may raise anything
        raise UserError(failure_reason(error)) from error
    file.seek(archive.offset)
    if archive.offset > size or any(file.read(tarfile.BLOCKSIZE)):
        raise UserError(f"what begins at byte {archive.offset:,} is no member: it is damaged or cut off")


def members(archive: tarfile.TarFile) -> Iterator[Entry]:
    """The files in an open tar."""
    for member in iter(archive.next, None):
        archive.members.clear()  # type: ignore[attr-defined]  # it would keep all that it has seen
        if member.isreg() and not member.issparse():
            yield Entry(member.name.removeprefix("./"), member.offset_data, member.size)


def select_ending(images: list[str], ending: str, source: str) -> list[str]:
    """The images with this ending, or all; UserError if each sample has several and no ending is given."""
    endings = Counter(split_name(name)[1] for name in images)
    if ending:
        if ending not in endings:
            raise UserError(f"tar {source!r} has no images ending in {ending!r}, only {', '.join(endings)}.")
        return [name for name in images if split_name(name)[1] == ending]
    keys = len({split_name(name)[0] for name in images})
    if keys < len(images) and len(endings) < keys:
        raise UserError(
            f"{source!r} holds several images a sample; type {setting('image_column')} {' or '.join(endings)}."
        )
    return images


def split_name(name: str) -> tuple[str, str]:
    """A member's key, which its sample's members share, and its ending: what follows the first dot of its last part."""
    folder, slash, last = name.rpartition("/")
    stem, _, ending = last.partition(".")
    return folder + slash + stem, ending.lower()
