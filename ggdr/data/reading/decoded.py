"""Numbered pictures of one size: decoded when asked for, and kept while they all fit in memory."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ggdr.data.reading.pixels.decode import decode_image
from ggdr.data.reading.pixels.framing import Frame
from ggdr.data.reading.reader import Reader, Unreadable


class ImageSequence(Protocol):
    """Anything with a length and uint8 [C, H, W] at each index: an array, or one of the classes below."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> np.ndarray: ...


class Decoded(ImageSequence, Protocol):
    """Images of one shape that are decoded again each time."""

    shape: tuple[int, ...]


class DecodedImages:
    """Some items of a reader, decoded again each time; `Unreadable` if one is no whole image."""

    def __init__(self, reader: Reader, items: Sequence[int] | np.ndarray, frame: Frame):
        self.reader, self.items, self.frame = reader, items, frame
        self.shape: tuple[int, ...] = (frame.channels, frame.height, frame.width)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> np.ndarray:
        item = int(self.items[index])
        try:
            return decode_image(self.reader.read(item), self.frame)
        except Exception as error:  # a broken file may raise anything in a decoder
            raise Unreadable(self.reader.name(item), error) from error


class CachedImages:
    """Pictures remembered after their first decoding, in memory that forked loader workers share."""

    def __init__(self, pictures: Decoded):
        self.pictures = pictures
        self._reserve()

    def _reserve(self) -> None:
        count = len(self.pictures)
        shape = (count, *self.pictures.shape)
        # anonymous memory: shared by forks, not bounded by /dev/shm, taken from the system page by page as it fills
        self._array = np.frombuffer(mmap.mmap(-1, int(np.prod(shape))), np.uint8).reshape(shape)
        self._filled = np.frombuffer(mmap.mmap(-1, count), np.bool_)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> np.ndarray:
        if not self._filled[index]:
            self._array[index] = self.pictures[index]
            self._filled[index] = True
        return self._array[index]

    def __getstate__(self) -> dict:
        return {"pictures": self.pictures}

    def __setstate__(self, state: dict) -> None:
        self.pictures = state["pictures"]
        self._reserve()
