"""From the settings of image files to the opened data set: pick items, look at a sample, settle the size."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from ggdr.data.reading.decoded import CachedImages, Decoded, DecodedImages, ImageSequence
from ggdr.data.reading.detect import open_reader
from ggdr.data.reading.file_types import TEXT_ENDINGS, describe_unread
from ggdr.data.reading.indexed import IndexedImages
from ggdr.data.reading.jitter import Jitter, make_jitter
from ggdr.data.reading.labels.base import Labels, apply_policy, list_some
from ggdr.data.reading.labels.folders import TESTS, find_split
from ggdr.data.reading.pixels.decode import MODES
from ggdr.data.reading.pixels.depth import check_range
from ggdr.data.reading.pixels.framing import Frame, check_fill
from ggdr.data.reading.reader import Columns, Reader
from ggdr.data.reading.survey import Survey, sources_of_reader
from ggdr.errors import UserError, setting
from ggdr.folders import describe_skipped
from ggdr.networks.base import ImageSpec

if TYPE_CHECKING:
    from ggdr.data.images import ImageFiles
    from ggdr.data.stream import ImageStream

Choice = Callable[[Reader, np.ndarray], np.ndarray]
"""which of some items of a reader are used"""
SAMPLE = 256
"""images whose headers are read where their size is given"""


def open_images(settings: ImageFiles) -> IndexedImages:
    """The opened data set; UserError, in one sentence, if the settings and the source do not fit together."""
    return index_images(open_files(settings), settings)


def open_files(settings: ImageFiles) -> Reader:
    """The reader of a source, with a warning of what it passes over; UserError if nothing can be read."""
    reader = open_reader(settings.source, Columns(settings.image_column, settings.split, settings.config))
    if reader.unread.keys() - TEXT_ENDINGS:
        warnings.warn(f"{settings.source!r} holds {describe_unread(reader.unread)}.", stacklevel=3)
    if reader.own_output:
        warnings.warn(f"{settings.source!r}: {describe_skipped(reader.own_output)}.", stacklevel=3)
    return reader


def test_split(settings: ImageFiles) -> str:
    """The split of a source that is for tests; empty: there is none, or it cannot be read."""
    try:
        reader = open_reader(settings.source, Columns(settings.image_column, settings.split, settings.config))
    except UserError:
        return ""
    return next((split for split in TESTS if find_split(split, reader.split_names())), "")


def index_images(reader: Reader, settings: ImageFiles, choose: Choice = lambda reader, items: items) -> IndexedImages:
    """The images of an opened source as the settings want them, of those that `choose` leaves; UserError as above."""
    labels, usable = select_labels(reader, settings)
    usable = choose(reader, select_files(reader, usable, settings.files))
    items = usable[select_subset(len(usable), settings.subset, settings.subset_seed)]
    seen = items if settings.size is None else sample_evenly(items)  # an odd one would be cropped, though nobody asked
    frame = choose_frame(settings, Survey(sources_of_reader(reader, seen)))
    spec = ImageSpec(frame.height, frame.width, frame.channels)
    jitter, loaded = choose_jitter(settings, frame)
    decoded = DecodedImages(reader, items, frame._replace(height=loaded[0], width=loaded[1]))
    chosen = labels and labels.select(items)
    kept = cache_if_small(decoded, settings.cache_mb)
    notes = reader.notes + (labels.notes if labels else ())
    return IndexedImages(kept, spec, chosen, settings.mirror, notes, (reader, items), jitter)


def cache_if_small(pictures: Decoded, megabytes: int) -> ImageSequence:
    """The pictures, remembered once they are decoded if all of them fit into some memory."""
    return CachedImages(pictures) if len(pictures) * math.prod(pictures.shape) <= megabytes * 2**20 else pictures


def select_files(reader: Reader, items: np.ndarray, pattern: str) -> np.ndarray:
    """The items whose names match a pattern; UserError if there are none. An empty pattern: all."""
    if not pattern:
        return items
    found = [item for item in items if fnmatchcase(reader.name(int(item)), pattern)]
    if not found:
        raise UserError(
            f"no image matches {setting('files')} {pattern!r}; they are called {reader.name(int(items[0]))!r:.120} and"
            " the like, and * stands for anything."
        )
    return np.array(found)


def select_labels(reader: Reader, settings: ImageFiles) -> tuple[Labels | None, np.ndarray]:
    """The labels that the settings ask for, and the items that are used; UserError if they cannot be had."""
    if not settings.labels:
        if settings.only:
            raise UserError(
                f"{setting('only')} {settings.only!r} needs labels; type {setting('labels')} folders, or the column or"
                " file that says what each image is."
            )
        return None, np.arange(len(reader))
    if settings.only:
        return None, items_of_class(reader.labels(settings.labels, settings.label_kind), settings.only)
    return apply_policy(reader.labels(settings.labels, settings.label_kind), settings.unlabelled, reader.name)


def items_of_class(labels: Labels, name: str) -> np.ndarray:
    """The items of a class, in rising order; UserError, with the classes there are, if it has none."""
    if labels.ranges:
        raise UserError(
            f"{setting('only')} {name!r}: these labels are numbers, no classes; type {setting('label_kind')} classes."
        )
    there = labels.values if labels.missing is None else np.where(labels.missing, -1, labels.values)
    found = np.flatnonzero(there == labels.names.index(name)) if name in labels.names else np.arange(0)
    if not len(found):
        raise UserError(
            f"no image has the label {name!r}; type {setting('only')} and one of {list_some(labels.names)}."
        )
    return found


def choose_jitter(settings: ImageFiles, frame: Frame) -> tuple[Jitter | None, tuple[int, int]]:
    """The random jitter of images that fill a frame, and the size at which they are loaded; UserError as above."""
    if settings.flip and settings.mirror:
        raise UserError(
            f"{setting('mirror')} shows the mirror image of each, as {setting('flip')} does; leave one out."
        )
    if settings.load_size is not None and settings.size is None:
        raise UserError(f"{setting('load_size')} needs {setting('size')}, the size of what is cut.")
    return make_jitter((frame.height, frame.width), settings.load_size, settings.flip)


def select_subset(count: int, subset: int | None, seed: int | None) -> np.ndarray:
    """Items to use, in rising order: all, the first ones, or drawn so that a larger subset holds the smaller."""
    if subset is None:
        return np.arange(count)
    if not 1 <= subset <= count:
        raise UserError(f"subset of {subset} images; the source has {count}: choose 1 to {count}.")
    drawn = np.arange(count) if seed is None else np.random.default_rng(seed).permutation(count)
    return np.sort(drawn[:subset])


def sample_evenly(items: np.ndarray) -> np.ndarray:
    """At most SAMPLE of the items, evenly spread, the first one first."""
    return items[np.linspace(0, len(items) - 1, min(SAMPLE, len(items))).astype(int)]


def choose_frame(settings: ImageFiles | ImageStream, survey: Survey) -> Frame:
    """What all images are made to fit; UserError if they do not agree where nothing is said."""
    channels, seen = settings.channels, survey.channels
    if channels not in (0, *MODES, *seen):
        raise UserError(
            f"images of {channels} channels; these have {' or '.join(map(str, sorted(seen)))}, so"
            " choose 1 (gray), 3 (RGB), 4 (RGBA) or 0 (as most images have)."
        )
    check_fill(settings.fill)
    chosen = check_range(settings.range)
    height, width = survey.common_size() if settings.size is None else height_and_width(settings.size)
    if chosen is None:
        survey.check_values()
    return Frame(
        height,
        width,
        channels or survey.common_channels(),
        settings.crop,
        settings.fill,
        chosen,
        exact=settings.size is None,
    )


def height_and_width(size: int | Sequence[int]) -> tuple[int, int]:
    """Height and width; UserError unless they are two positive numbers."""
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1:
        raise UserError(
            f"images of {height}x{width} pixels; give a positive height and width, as {setting('size')} 64 64."
        )
    return height, width
