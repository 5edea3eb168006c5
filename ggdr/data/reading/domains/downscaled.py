"""Parts of pictures, and the same parts of the pictures made smaller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from PIL import Image

from ggdr.data.base import Batch, Content, Images
from ggdr.data.reading.domains.partner_pictures import PairPictures
from ggdr.data.reading.domains.unpaired import no_test_note, part_of
from ggdr.data.reading.indexed import content_of_items, next_readable
from ggdr.data.reading.opening import choose_frame, open_files, sample_evenly, select_subset
from ggdr.data.reading.order import Order
from ggdr.data.reading.pixels.decode import decode_bands
from ggdr.data.reading.pixels.framing import Frame
from ggdr.data.reading.reader import Reader, Unreadable
from ggdr.data.reading.survey import Survey, format_size, sources_of_reader
from ggdr.errors import UserError, setting
from ggdr.networks.base import ImageSpec
from ggdr.seeding import seed_of

if TYPE_CHECKING:
    from ggdr.data.super_resolution import SuperResolution

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "area": Image.Resampling.BOX}


class Draw(NamedTuple):
    """Which part of a picture is shown, and how: a place of the endless order says so."""

    down: float
    """how far down the part lies, uniform in [0, 1)"""
    across: float
    mirrored: bool
    turned: bool


MIDDLE = Draw(0.5, 0.5, False, False)
"""the part that tests show"""


def open_downscaled(settings: SuperResolution) -> DownscaledImages:
    """The opened pictures; UserError, in one sentence, if a setting fits none."""
    files = settings.pictures()
    reader = open_files(files)
    items = np.arange(len(reader))
    if not settings.test_source:
        items = part_of(items, settings, "the set")
    items = items[select_subset(len(items), settings.subset, 0)]
    survey = Survey(sources_of_reader(reader, sample_evenly(items)))
    frame = choose_frame(files, survey)
    check_sizes(settings, frame)
    images = DownscaledImages(settings, reader, items, frame)
    images.notes = (*images.notes, *note_of_smaller(survey, frame))
    return images


def note_of_smaller(survey: Survey, frame: Frame) -> tuple[str, ...]:
    """What is said of pictures that are smaller than a part; nothing if there are none. UserError if all are."""
    count = sum(n for (h, w), n in survey.sizes.items() if h < frame.height or w < frame.width)
    if not count:
        return ()
    parts, total = format_size((frame.height, frame.width)), survey.sizes.total()
    if count == total:
        largest = min(max(survey.sizes, key=min))
        raise UserError(
            f"no picture has parts of {parts}, height x width; give {setting('size')} {largest} or less, or larger"
            " pictures."
        )
    return (f"{count:,} of {total:,} pictures that were looked at are smaller than parts of {parts}: others stand in.",)


def check_sizes(settings: SuperResolution, frame: Frame) -> None:
    """UserError unless parts become whole numbers of small pixels, and can be turned if they are to be."""
    factor, size = settings.factor, (frame.height, frame.width)
    if any(side % factor for side in size):
        whole = [max(side // factor, 1) * factor for side in size]
        raise UserError(
            f"parts of {format_size(size)} do not become {factor} times smaller; give {setting('size')} {whole[0]}"
            f" {whole[1]}, multiples of {setting('factor')}."
        )
    if settings.rotate and frame.height != frame.width:
        raise UserError(f"parts of {format_size(size)} cannot be turned; give {setting('size')} {min(size)}.")


class PartPictures(PairPictures):
    """The pictures of a draw, numbered: a small part and a large one."""

    def __init__(self, images: DownscaledImages, draw: Draw):
        super().__init__([(spec.channels, spec.height, spec.width) for spec in images.domains.values()])
        self.images, self.draw = images, draw

    def __len__(self) -> int:
        return len(self.images)

    def decode(self, pair: int) -> list[np.ndarray]:
        """Cut both parts out of a picture."""
        return self.images.parts(pair, self.draw)


class DownscaledImages(Images):
    """Pairs of a small and a large part of a picture; a readable one stands in for each that is not."""

    paired = True

    def __init__(self, settings: SuperResolution, reader: Reader, items: np.ndarray, frame: Frame):
        """`items`: which of the reader's are used. `frame`: size and channels of the large parts."""
        self.settings, self.reader, self.items, self.frame = settings, reader, items, frame
        self.order = Order(len(items))
        tested = settings.split == "test" or settings.held_out() is not None
        self.notes = reader.notes if tested else (*reader.notes, no_test_note(settings))
        self.spec = ImageSpec(frame.height, frame.width, frame.channels)

    @property
    def domains(self) -> Mapping[str, ImageSpec]:
        """The spec of the small parts, then of the large ones."""
        height, width, channels = self.spec[:3]
        factor = self.settings.factor
        return {"small": ImageSpec(height // factor, width // factor, channels), "large": self.spec}

    def __len__(self) -> int:
        return len(self.items)

    def at(self, positions: list[int], seed: int) -> Batch:
        """The large parts of the pictures at these positions, without the small ones."""
        return self.domain_batches(positions, seed)["large"]

    def domain_batches(self, positions: list[int], seed: int) -> dict[str, Batch]:
        """Both parts of the pictures at these positions."""
        pairs = []
        for index, position in zip(self.order(positions, seed), positions, strict=True):
            pictures = PartPictures(self, self.draw(seed, position))
            pairs.append(pictures.unpack(next_readable(pictures, index, self.note)[1]))
        small, large = (torch.from_numpy(np.stack(parts)) for parts in zip(*pairs, strict=True))
        return {"small": Batch(small), "large": Batch(large)}

    def draw(self, seed: int, position: int) -> Draw:
        """What is shown at a position."""
        if self.settings.split == "test":
            return MIDDLE
        down, across, mirror, turn = np.random.default_rng(seed_of("part", seed, position)).random(4)
        return Draw(down, across, self.settings.flip and mirror < 0.5, self.settings.rotate and turn < 0.5)

    def parts(self, index: int, draw: Draw) -> list[np.ndarray]:
        """The small part uint8 [C, h, w] and the large one [C, H, W] of a picture; Unreadable if it has none."""
        item = int(self.items[index])
        try:
            bands = decode_bands(self.reader.read(item), self.frame)
            box = self.box(bands[0].size, draw)
        except Exception as error:  # a broken file may raise anything in a decoder
            raise Unreadable(self.reader.name(item), error) from error
        small = (self.frame.width // self.settings.factor, self.frame.height // self.settings.factor)
        shrunk = [band.resize(small, FILTERS[self.settings.filter], box=box) for band in bands]
        return [as_drawn(shrunk, draw), as_drawn([band.crop(box) for band in bands], draw)]

    def box(self, size: tuple[int, int], draw: Draw) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the part of a picture (width, height): at multiples of the factor.

        UserError if the picture is smaller than a part.
        """
        (width, height), factor = size, self.settings.factor
        if width < self.frame.width or height < self.frame.height:
            wanted = format_size((self.frame.height, self.frame.width))
            raise UserError(f"it is {format_size((height, width))}, smaller than parts of {wanted}")
        left = factor * int(draw.across * ((width - self.frame.width) // factor + 1))
        top = factor * int(draw.down * ((height - self.frame.height) // factor + 1))
        return left, top, left + self.frame.width, top + self.frame.height

    def content(self) -> Content:
        """Which pictures these are."""
        return content_of_items(super().content(), self.reader, self.items, None)


def as_drawn(bands: list[Image.Image], draw: Draw) -> np.ndarray:
    """What is shown of the bands of a part: uint8 [C, H, W]."""
    array = np.concatenate([np.atleast_3d(np.asarray(band)) for band in bands], axis=2).transpose(2, 0, 1)
    array = array[..., ::-1] if draw.mirrored else array
    return np.ascontiguousarray(array.swapaxes(1, 2) if draw.turned else array)
