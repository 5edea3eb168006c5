"""Pairs as they are decoded: pictures, label maps and edges of instances of one pair, in one flat array."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from ggdr.data.reading.domains.pair_layout import Side
from ggdr.data.reading.pixels.decode import decode_halves, decode_image, image_info
from ggdr.data.reading.pixels.framing import Frame
from ggdr.data.reading.pixels.label_maps import (
    IGNORED,
    Classes,
    WrongMap,
    decode_numbers,
    fit_nearest,
    instance_edges,
)
from ggdr.data.reading.reader import Unreadable
from ggdr.data.reading.survey import format_size
from ggdr.errors import UserError

NO_INSTANCE = -1


class Decoder(Protocol):
    """An encoded image, and what messages call it, to uint8 [C, H, W] that fills a frame."""

    @property
    def frame(self) -> Frame: ...

    def __call__(self, data: bytes, name: str) -> np.ndarray: ...


class PictureDecoder(NamedTuple):
    """Pictures, as other images are decoded."""

    frame: Frame

    def __call__(self, data: bytes, name: str) -> np.ndarray:
        """Decode the bytes of a picture; `name`: what a message calls it."""
        return decode_image(data, self.frame)


class MapDecoder(NamedTuple):
    """Label maps: class numbers [1, H, W], 255 where there is none."""

    frame: Frame
    classes: Classes

    def __call__(self, data: bytes, name: str) -> np.ndarray:
        """The classes; WrongMap if it holds others."""
        return fit_nearest(self.classes(read_numbers(data, name), name), self.frame, IGNORED)[None]


class EdgeDecoder(NamedTuple):
    """Maps of instances: their edges, 1 or 0, [1, H, W]."""

    frame: Frame

    def __call__(self, data: bytes, name: str) -> np.ndarray:
        """The edges between instances."""
        return instance_edges(fit_nearest(read_numbers(data, name), self.frame, NO_INSTANCE))[None]


def read_numbers(data: bytes, name: str) -> np.ndarray:
    """The numbers of a map; WrongMap, with its name, if it is none."""
    try:
        return decode_numbers(data)
    except WrongMap as error:
        raise WrongMap(f"label map {name!r}: {error.message}.") from error


class PairPictures:
    """Some pairs, decoded again each time: the arrays of a pair one behind the other, uint8 [n]."""

    def __init__(self, shapes: Sequence[tuple[int, ...]]):
        """`shapes`: of the arrays of a pair."""
        self.shapes = [*shapes]
        self.ends = np.cumsum([math.prod(shape) for shape in self.shapes]).tolist()
        self.shape: tuple[int, ...] = (self.ends[-1],)

    def __len__(self) -> int:
        raise NotImplementedError

    def decode(self, pair: int) -> list[np.ndarray]:
        """The arrays of a pair; Unreadable if one is no whole image, WrongMap if it is no such label map."""
        raise NotImplementedError

    def __getitem__(self, pair: int) -> np.ndarray:
        return np.concatenate([array.reshape(-1) for array in self.decode(pair)])

    def unpack(self, flat: np.ndarray) -> list[np.ndarray]:
        """The arrays of a pair again."""
        parts = np.split(flat, self.ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]


class SideBySide(PairPictures):
    """Pictures of which the left half is one image of a pair and the right half the other."""

    def __init__(self, side: Side, frames: Sequence[Frame]):
        super().__init__([(frame.channels, frame.height, frame.width) for frame in frames])
        self.side, self.frames = side, [*frames]

    def __len__(self) -> int:
        return len(self.side.items)

    def decode(self, pair: int) -> list[np.ndarray]:
        """Decode a picture once, and return both of its halves."""
        try:
            return decode_halves(self.side.reader.read(int(self.side.items[pair])), self.frames)
        except Exception as error:  # a broken file may raise anything in a decoder
            raise Unreadable(self.side.name(pair), error) from error


class Partners(PairPictures):
    """Images in two sources or more, of one shape."""

    def __init__(self, sides: Sequence[tuple[Side, Decoder]]):
        super().__init__([(channels_of(each), each.frame.height, each.frame.width) for _, each in sides])
        self.sides = [*sides]

    def __len__(self) -> int:
        return len(self.sides[0][0].items)

    def decode(self, pair: int) -> list[np.ndarray]:
        """The arrays of all sides."""
        found = [self._read(side, pair) for side, _ in self.sides]
        sizes = [size for _, size in found]
        for (side, decoder), size in zip(self.sides[1:], sizes[1:], strict=True):
            if why := unlike(sizes[0], size, exact=is_map(decoder) or is_map(self.sides[0][1])):
                raise Unreadable(side.name(pair), UserError(f"{why} {self.sides[0][0].name(pair)!r}"))
        return [self._decode(n, data, pair) for n, (data, _) in enumerate(found)]

    def _read(self, side: Side, pair: int) -> tuple[bytes, tuple[int, int]]:
        """The bytes of an image, and its height and width."""
        try:
            data = side.reader.read(int(side.items[pair]))
            info = image_info(data)
        except Exception as error:  # a broken file may raise anything in a decoder
            raise Unreadable(side.name(pair), error) from error
        return data, (info.height, info.width)

    def _decode(self, number: int, data: bytes, pair: int) -> np.ndarray:
        """The array of one side."""
        side, decoder = self.sides[number]
        try:
            return decoder(data, side.name(pair))
        except WrongMap:
            raise
        except Exception as error:  # a broken file may raise anything in a decoder
            raise Unreadable(side.name(pair), error) from error


def is_map(decoder: Decoder) -> bool:
    """Whether it decodes numbers and no colours."""
    return not isinstance(decoder, PictureDecoder)


def channels_of(decoder: Decoder) -> int:
    """Channels of what it gives."""
    return 1 if is_map(decoder) else decoder.frame.channels


def unlike(one: tuple[int, int], other: tuple[int, int], exact: bool) -> str:
    """Why images of two sizes, height and width, are no partners, before the name of the first; empty: they are.

    `exact`: sizes must be equal, as those of a map and its picture; else shapes must, to a pixel.
    """
    (h, w), (height, width) = one, other
    alike = one == other if exact else abs(width - w * height / h) <= max(1.0, height / h)
    return "" if alike else f"it is {format_size(other)}, and not {format_size(one)} as its partner"
