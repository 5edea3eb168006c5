"""What every reader is: a numbered list of encoded images, whatever they are stored in."""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, NamedTuple

from PIL import UnidentifiedImageError

from ggdr.data.reading.labels.base import Kind, Labels
from ggdr.documents import one_line
from ggdr.errors import UserError

MOST_BYTES = 2**30
"""most bytes of an encoded image; nothing larger is read into memory"""
HEAD_BYTES = 2**14
"""bytes of an encoded image that are read for its header"""


class Columns(NamedTuple):
    """Where a table keeps its images, and which part of a source is read."""

    image: str = ""
    """column of the images; empty: the only one that can be"""
    split: str = "train"
    """split of a table, or of a folder whose folders are splits"""
    config: str = ""
    """configuration of a Hub data set that has several"""


class Unreadable(Exception):
    """An item that is no image, or a broken one: which one, and why."""

    def __init__(self, name: str, error: Exception):
        super().__init__(name, error)
        self.name, self.why = name, failure_reason(error)


def failure_reason(error: Exception) -> str:
    """Why something could not be read, in a few words that are the same each time."""
    if isinstance(error, UnidentifiedImageError):  # its own text holds a memory address
        return "not an image of a known kind"
    return one_line(error, 200)


def check_size(size: int) -> None:
    """UserError if an encoded image is larger than any that could be decoded."""
    if size > MOST_BYTES:
        raise UserError(f"it has {size:,} bytes, and no image is read that has more than {MOST_BYTES:,}")


def read_file_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """The first `most` bytes of a regular file; OSError or UserError for a pipe or a device, which might never end."""
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise UserError("no regular file")
    check_size(found.st_size)
    with path.open("rb") as file:
        return file.read(min(found.st_size, most))


class Reader(ABC):
    """Items 0 .. len - 1 of a source, each with a name and the bytes of an encoded image."""

    kind: str
    """what reports call such a source"""
    form: str
    """what one types for it, as messages say it"""
    unread: Mapping[str, int] = MappingProxyType({})
    """ending -> files of the source that are passed over, since they are no images that can be read"""
    hidden: Mapping[str, int] = MappingProxyType({})
    """folder of the system, or "hidden" -> files that end like images and are passed over"""
    own_output: Mapping[str, int] = MappingProxyType({})
    """kind -> folders and pictures that were made by this package and are passed over"""

    notes: tuple[str, ...] = ()
    """what a person should know of how it is read; whole sentences"""

    @staticmethod
    @abstractmethod
    def fits(source: str) -> bool:
        """Whether this reader is the one for `source`."""

    @abstractmethod
    def __init__(self, source: str, columns: Columns):
        """Look at the source; UserError, in one sentence, if there is nothing to read."""

    @abstractmethod
    def __len__(self) -> int:
        """Items, readable or not."""

    @abstractmethod
    def name(self, item: int) -> str:
        """What messages call the item."""

    @abstractmethod
    def read(self, item: int) -> bytes:
        """The item's bytes; any exception if they cannot be had."""

    has_fingerprints: ClassVar[bool] = False
    """whether `fingerprint` costs little; else `revision` stands for all items"""

    def fingerprint(self, item: int) -> tuple[str, str]:
        """The item's name, and what changes with its bytes, such as their number."""
        return self.name(item), ""

    def split_names(self) -> Sequence[str]:
        """Names of the splits that the source has, of which one is read; empty: it has none, or they are not known."""
        return ()

    def revision(self) -> str:
        """The version of the source as a whole; empty: not known."""
        return ""

    def head(self, item: int) -> bytes:
        """Read what the item's header takes, as a rule; all of it where that costs no more."""
        return self.read(item)

    @abstractmethod
    def labels(self, how: str, kind: Kind = "auto") -> Labels:
        """The labels that the setting `how` asks for (not empty), of a kind; UserError if it means nothing here."""

    @abstractmethod
    def label_choices(self) -> list[str]:
        """Values of `how` that would give labels, the likeliest first."""
