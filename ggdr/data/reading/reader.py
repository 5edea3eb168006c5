"""What every reader is: a numbered list of encoded images, whatever they are stored in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from PIL import UnidentifiedImageError

from ggdr.data.reading.labels import Labels


class Columns(NamedTuple):
    """Where a table keeps its images; folders and zips have no use for it."""

    image: str = ""
    """column of the images; empty: the only one that can be"""
    split: str = "train"
    """split of the table"""
    config: str = ""
    """configuration of a Hub data set that has several"""


class Unreadable(Exception):
    """An item that is no image, or a broken one: which one, and why."""

    def __init__(self, name: str, error: Exception):
        super().__init__(name, error)
        self.name, self.why = name, reason(error)


def reason(error: Exception) -> str:
    """Why something could not be read, in a few words that are the same each time."""
    if isinstance(error, UnidentifiedImageError):  # its own text holds a memory address
        return "not an image of a known kind"
    return " ".join(str(error).split())[:200] or type(error).__name__


class Reader(ABC):
    """Items 0 .. len - 1 of a source, each with a name and the bytes of an encoded image."""

    kind: str
    """what reports call such a source"""

    @staticmethod
    @abstractmethod
    def fits(source: str) -> bool:
        """Whether this reader is the one for `source`."""

    @abstractmethod
    def __init__(self, source: str, columns: Columns):
        """Look at the source; ValueError, in one sentence, if there is nothing to read."""

    @abstractmethod
    def __len__(self) -> int:
        """Items, readable or not."""

    @abstractmethod
    def name(self, item: int) -> str:
        """What messages call the item."""

    @abstractmethod
    def read(self, item: int) -> bytes:
        """The item's bytes; any exception if they cannot be had."""

    @abstractmethod
    def labels(self, how: str) -> Labels:
        """The labels that the setting `how` asks for (not empty); ValueError if it means nothing here."""

    @abstractmethod
    def label_choices(self) -> list[str]:
        """Values of `how` that would give labels, the likeliest first."""
