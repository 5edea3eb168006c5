"""What the headers of a source's images say, together: sizes and channels, and what all images shall have."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from ggdr.data.reading.pixels.arrays import TIFF
from ggdr.data.reading.pixels.decode import MODES, ImageInfo, image_info, read_values
from ggdr.data.reading.pixels.depth import ValueSummary, is_clipped, merge_by_dtype, range_advice, summarize_values
from ggdr.data.reading.reader import Reader
from ggdr.errors import UserError, setting
from ggdr.formatting import colours
from ggdr.lazy import MissingPackage
from ggdr.progress import track

SHARE = 0.9
"""share of the images that must have as many channels before all others are made so"""
MEASURED = 16
"""deep images of which all values are read"""


class ImageSource(NamedTuple):
    """An encoded image that may be read."""

    name: Callable[[], str]
    """what messages call it"""
    head: Callable[[], bytes]
    """its first bytes, or all"""
    read: Callable[[], bytes]
    """all its bytes; any exception if they cannot be had"""


class Survey:
    """The headers of many images, counted."""

    def __init__(self, sources: Iterable[ImageSource]):
        self.sizes: Counter[tuple[int, int]] = Counter()
        """(height, width) -> images"""
        self.channels: Counter[int] = Counter()
        """channels -> images"""
        self.examples: dict[tuple[int, int], str] = {}
        """(height, width) -> the first image of that size"""
        self.deep: list[ImageSource] = []
        """some images whose values are not those of eight bits"""
        stride = 1
        for source, seen in read_infos(sources):
            size = (seen.height, seen.width)
            self.sizes[size] += 1
            self.channels[seen.channels] += 1
            if size not in self.examples:
                self.examples[size] = source.name()
            if seen.deep and self.sizes.total() % stride == 0:
                self.deep.append(source)
            if len(self.deep) == 2 * MEASURED:  # as many again may follow, and all shall be evenly spread
                self.deep, stride = self.deep[::2], 2 * stride
        if not self.sizes:
            raise UserError("no image can be read; run `ggdr data check` on the source to see why.")

    def common_size(self) -> tuple[int, int]:
        """The height and width of all; UserError that names two that differ."""
        first, *others = self.examples.items()
        if others:
            (one, name), (two, other) = first, others[0]
            (most, count), total = self.sizes.most_common(1)[0], self.sizes.total()
            raise UserError(
                f"images differ in size ({name!r} is {format_size(one)}, {other!r} {format_size(two)}, height x width;"
                f" {count:,} of {total:,} are {format_size(most)}); choose one with {setting('size')} H W."
            )
        return first[0]

    def common_channels(self) -> int:
        """The channels of nine in ten images, else 3; a warning tells of mixtures."""
        most, count = self.channels.most_common(1)[0]
        chosen = most if count >= SHARE * self.channels.total() or most not in MODES else 3
        if len(self.channels) > 1:
            found = ", ".join(f"{colours(each)}: {number:,}" for each, number in self.channels.most_common())
            warnings.warn(
                f"images differ in their channels ({found}); all are read as {colours(chosen)}; type"
                f" --data.channels {chosen} to settle it.",
                stacklevel=2,
            )
        return chosen

    def check_values(self) -> None:
        """Look at the values of deep images: a warning if few levels would be left, UserError if many are cut off."""
        for measured in merge_by_dtype(filter(None, map(measure_values, self.deep))):
            if is_clipped(measured):
                raise UserError(range_advice(measured, setting("range")))
            if said := range_advice(measured, "--data.range"):
                warnings.warn(said, stacklevel=3)


def measure_values(source: ImageSource) -> ValueSummary | None:
    """What the values of an image are; None: it cannot be read."""
    try:
        return summarize_values(read_values(source.read()))
    except Exception:  # a broken file may raise anything; it is named when its turn comes
        return None


def format_size(size: tuple[int, int]) -> str:
    """A size as people write it."""
    return "x".join(map(str, size))


def sources_of_reader(reader: Reader, items: Iterable[int]) -> Iterator[ImageSource]:
    """Some items of a reader."""
    for item in map(int, items):
        yield ImageSource(partial(reader.name, item), partial(reader.head, item), partial(reader.read, item))


def read_infos(sources: Iterable[ImageSource]) -> Iterator[tuple[ImageSource, ImageInfo]]:
    """Each image, with its look, whose header can be read, in order; on a terminal, a bar if it takes long.

    By one thread, some 40 us each: more threads made it slower.
    """
    for source in track(sources, "reading headers"):
        if seen := read_info(source):
            yield source, seen


def read_info(source: ImageSource) -> ImageInfo | None:
    """The look of an image by its first bytes, or by all where these do not tell; None: it cannot be read."""
    for read in (source.head, source.read):
        try:
            if (data := read()).startswith(TIFF) and read is source.head:  # whose headers lie anywhere
                continue
            return image_info(data)
        except MissingPackage:
            raise
        except Exception:  # a broken file may raise anything; it is named when its turn comes
            continue
    return None
