"""From the settings of image files to the opened data set: pick items, look at a sample, settle the size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ggdr.data.reading.detect import reader_of
from ggdr.data.reading.gallery import Gallery
from ggdr.data.reading.labels import Labels
from ggdr.data.reading.pictures import Decoded, Kept
from ggdr.data.reading.pixels import MODES, Frame, Look, look
from ggdr.data.reading.reader import Columns, Reader
from ggdr.networks.base import Brief

if TYPE_CHECKING:
    from ggdr.data.images import ImageFiles

SAMPLE = 256
"""images whose headers are read before it is believed that all have one size"""


def open_images(settings: ImageFiles) -> Gallery:
    """The opened data set; ValueError, in one sentence, if the settings and the source do not fit together."""
    reader = reader_of(settings.source, Columns(settings.image_column, settings.split, settings.config))
    items = pick(len(reader), settings.subset, settings.subset_seed)
    labels = reader.labels(settings.labels) if settings.labels else None
    frame = frame_for(settings.size, settings.channels, settings.crop, looks(named(reader, spread(items))))
    decoded = Decoded(reader, items, frame)
    size = len(items) * frame.height * frame.width * frame.channels
    brief = Brief(frame.height, frame.width, frame.channels, labels.width if labels else 0)
    chosen = Labels(labels.values[items], labels.names) if labels else None
    return Gallery(Kept(decoded) if size <= settings.cache_mb * 2**20 else decoded, brief, chosen, settings.mirror)


def pick(count: int, subset: int | None, seed: int | None) -> np.ndarray:
    """Items to use, in rising order: all, the first ones, or drawn so that a larger subset holds the smaller."""
    if subset is None:
        return np.arange(count)
    if not 1 <= subset <= count:
        raise ValueError(f"subset of {subset} images; the source has {count}: choose 1 to {count}.")
    drawn = np.arange(count) if seed is None else np.random.default_rng(seed).permutation(count)
    return np.sort(drawn[:subset])


def spread(items: np.ndarray) -> np.ndarray:
    """At most SAMPLE of the items, evenly spread, the first one first."""
    return items[np.linspace(0, len(items) - 1, min(SAMPLE, len(items))).astype(int)]


def named(reader: Reader, items: Iterable[int]) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Name of each item, and how to read it."""
    return ((reader.name(int(item)), partial(reader.read, int(item))) for item in items)


def looks(named: Iterable[tuple[str, Callable[[], bytes]]]) -> Iterator[tuple[str, Look]]:
    """Name and look of each image whose header can be read; given its name and how to read it."""
    for name, read in named:
        try:
            seen = look(read())
        except Exception:  # a broken file may raise anything; it is named when its turn comes
            continue
        yield name, seen


def frame_for(size: int | Sequence[int] | None, channels: int, crop: str, sample: Iterator[tuple[str, Look]]) -> Frame:
    """What all images are made to fit; the sample is read as far as the settings leave something open."""
    if channels not in (0, *MODES):
        raise ValueError(
            f"images of {channels} channels; choose 1 (gray), 3 (RGB), 4 (RGBA) or 0 (as the first image)."
        )
    first = next(sample, None)
    if first is None:
        raise ValueError("no image can be read; run `ggdr data check` on the source to see why.")
    height, width = agreed_size(first, sample) if size is None else as_pair(size)
    return Frame(height, width, channels or first[1].channels, crop == "centre")


def as_pair(size: int | Sequence[int]) -> tuple[int, int]:
    """Height and width; ValueError unless they are two positive numbers."""
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1:
        raise ValueError(f"images of {height}x{width} pixels; give a positive height and width, as --data.size 64 64.")
    return height, width


def agreed_size(first: tuple[str, Look], others: Iterator[tuple[str, Look]]) -> tuple[int, int]:
    """The height and width all share; ValueError that names two that differ."""
    name, one = first
    for other, seen in others:
        if (seen.height, seen.width) != (one.height, one.width):
            raise ValueError(
                f"images differ in size ({name!r} is {one.height}x{one.width}, {other!r} {seen.height}x{seen.width}, "
                "height x width); choose one with --data.size H W."
            )
    return one.height, one.width
