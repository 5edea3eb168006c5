"""Pairs of images: partners lie at the same place of one order, and are jittered and mirrored alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import torch

from ggdr.data.base import Batch, Content, Images
from ggdr.data.reading.domains.pair_layout import PairLayout, Side, find_pairs, open_side, partners
from ggdr.data.reading.domains.partner_pictures import (
    Decoder,
    EdgeDecoder,
    MapDecoder,
    PairPictures,
    Partners,
    PictureDecoder,
    SideBySide,
    is_map,
    unlike,
)
from ggdr.data.reading.domains.unpaired import join_contents, known_notes, part_of
from ggdr.data.reading.indexed import content_of_items, next_readable
from ggdr.data.reading.jitter import Jitter, make_jitter
from ggdr.data.reading.labels.base import Labels
from ggdr.data.reading.opening import cache_if_small, choose_frame, height_and_width, sample_evenly, select_subset
from ggdr.data.reading.order import Order
from ggdr.data.reading.pixels.framing import Frame
from ggdr.data.reading.pixels.label_maps import MOST_CLASSES, Classes, read_mapping
from ggdr.data.reading.survey import Survey, format_size, read_info, sources_of_reader
from ggdr.errors import UserError, setting
from ggdr.networks.base import ImageSpec

if TYPE_CHECKING:
    from ggdr.data.pairs import Pairs

MAPS_READ = 64
"""label maps that are read in full before a run begins"""
ROLES = ("source", "target")


def open_pairs(settings: Pairs) -> PairImages:
    """The opened pairs; UserError, in one sentence, if the settings and the source do not fit together."""
    layout = find_pairs(settings)
    count = len(layout.a.items)
    kept = part_of(np.arange(count), settings, "the set")
    kept = kept[select_subset(len(kept), settings.subset, 0)]
    labels = labels_of(settings, layout)
    layout = layout._replace(a=layout.a.take(kept), b=layout.b and layout.b.take(kept))
    pictures, frames, groups = pictures_of(settings, layout)
    notes = known_notes(settings, pairs=True)
    return PairImages(settings, layout, pictures, frames, groups, labels and labels.select(kept), notes)


def labels_of(settings: Pairs, layout: PairLayout) -> Labels | None:
    """The label vectors of the pairs, as the images of one side have them; UserError if some have none."""
    if not settings.labels:
        return None
    side = layout.b or layout.a
    labels = side.reader.labels(settings.labels).select(side.items)
    if labels.missing is not None:
        raise UserError(
            f"{int(labels.missing.sum()):,} of {len(side.items):,} pairs have no label; complete them, or leave"
            f" {setting('labels')} out."
        )
    return labels


def pictures_of(settings: Pairs, layout: PairLayout) -> tuple[PairPictures, list[Frame], list[tuple[int, ...]]]:
    """How the pairs are decoded, the frame of each domain, and which of the arrays are each one's channels.

    UserError if the settings and the source do not fit together.
    """
    maps = settings.maps
    check_maps(settings, layout)
    if layout.b is None:
        frames = half_frames(settings, layout.a)
        return SideBySide(layout.a, loaded(settings, frames)), frames, [(0,), (1,)]
    sides = [layout.a, layout.b]
    frames = [
        map_frame(side) if maps.of == letter else frame_of(side) for letter, side in zip("ab", sides, strict=True)
    ]
    check_whole_factor(frames)
    decoders: list[tuple[Side, Decoder]] = []
    for letter, side, frame in zip("ab", sides, loaded(settings, frames), strict=True):
        meaning = Classes(maps.classes, frozenset(maps.ignore), read_mapping(maps.mapping, maps.classes))
        decoders.append((side, MapDecoder(frame, meaning) if maps.of == letter else PictureDecoder(frame)))
    groups: list[tuple[int, ...]] = [(0,), (1,)]
    if maps.instances.source or maps.instances.files:
        place = "ab".index(maps.of)
        decoders.append((instances_of(settings, sides[place]), EdgeDecoder(decoders[place][1].frame)))
        groups[place] = (place, 2)
    check_sample(decoders)
    return Partners(decoders), frames, groups


def check_maps(settings: Pairs, layout: PairLayout) -> None:
    """UserError if what is said of label maps means nothing."""
    maps = settings.maps
    if maps.of == "none":
        if maps.classes or maps.instances.source or maps.mapping:
            raise UserError(
                f"{setting('maps.of')} does not say which of the domains holds label maps; type {setting('maps.of')} a."
            )
        return
    if layout.b is None:
        raise UserError("label maps do not lie side by side with their pictures; give two folders or columns.")
    if not 1 <= maps.classes <= MOST_CLASSES:
        raise UserError(
            f"{setting('maps.classes')} {maps.classes}: label maps have 1 to {MOST_CLASSES} classes; say how many there"
            " are once values are mapped."
        )


def instances_of(settings: Pairs, maps: Side) -> Side:
    """The maps of instances, in the order of the label maps; UserError if one is missing."""
    given = settings.maps.instances
    files = replace(maps.files, source=given.source or maps.files.source, files=given.files, labels="", only="")
    return partners(maps, open_side(replace(files, image_column=given.image_column or files.image_column)))[1]


def frame_of(side: Side) -> Frame:
    """What the pictures of a side are made to fit."""
    seen = side.items if side.files.size is None else sample_evenly(side.items)
    return choose_frame(side.files, Survey(sources_of_reader(side.reader, seen)))


def map_frame(side: Side) -> Frame:
    """What the label maps of a side are made to fit."""
    files = side.files
    size = (
        height_and_width(files.size) if files.size else Survey(sources_of_reader(side.reader, side.items)).common_size()
    )
    return Frame(*size, 1, files.crop, files.fill)


def half_frames(settings: Pairs, side: Side) -> list[Frame]:
    """What both halves of pictures are made to fit; UserError if they cannot be halved, or have other channels."""
    seen = side.items if settings.size is None else sample_evenly(side.items)
    survey = Survey(sources_of_reader(side.reader, seen))
    if settings.a.size or settings.b.size or settings.a.channels != settings.b.channels:
        raise UserError(
            f"pictures side by side have one size and the same channels: give {setting('size')} and"
            f" {setting('channels')} of both."
        )
    size = settings.size
    if size is None:
        height, width = survey.common_size()
        if width % 2:
            raise UserError(f"pictures of {height}x{width}, height x width, are no two side by side: the width is odd.")
        size = height, width // 2
    return [choose_frame(replace(side.files, size=size), survey)] * 2


def check_whole_factor(frames: Sequence[Frame]) -> None:
    """UserError unless the sizes of both domains are equal or differ by a whole factor."""
    (h, w), (height, width) = sorted((frame.height, frame.width) for frame in frames)
    if height % h or width % w or height // h != width // w:
        raise UserError(
            f"the domains are {' and '.join(format_size((f.height, f.width)) for f in frames)}, height x width, and"
            f" sizes must be equal or differ by a whole factor; choose them by {setting('a.size')} and"
            f" {setting('b.size')}."
        )


def loaded(settings: Pairs, frames: Sequence[Frame]) -> list[Frame]:
    """The frames in which images are loaded: larger where a random part is cut from them."""
    sizes = [jitter_of(settings, frame)[1] for frame in frames]
    return [frame._replace(height=size[0], width=size[1]) for frame, size in zip(frames, sizes, strict=True)]


def jitter_of(settings: Pairs, frame: Frame, step: int = 1) -> tuple[Jitter | None, tuple[int, int]]:
    """The jitter of a domain, and the size at which it is loaded: in proportion where its size is another.

    UserError if that is no whole number of pixels, or smaller than what is cut.
    """
    size = frame.height, frame.width
    if settings.load_size is None:
        return make_jitter(size, None, settings.flip, step)
    if settings.size is None:
        raise UserError(f"{setting('load_size')} needs {setting('size')}, the size of what is cut.")
    whole, load = height_and_width(settings.size), height_and_width(settings.load_size)
    scaled = [Fraction(side * one, other) for side, one, other in zip(load, size, whole, strict=True)]
    if any(side.denominator > 1 for side in scaled):
        raise UserError(
            f"{setting('load_size')} {load[0]} {load[1]} is no whole number of pixels of a domain of"
            f" {format_size(size)}; choose a multiple of {max(whole[0] // size[0], 1)}."
        )
    return make_jitter(size, (int(scaled[0]), int(scaled[1])), settings.flip, step)


def check_sample(sides: Sequence[tuple[Side, Decoder]]) -> None:
    """UserError if partners of a sample differ in shape, or if label maps of a sample hold what is no class."""
    (first, decoder), *others = sides
    for pair in sample_evenly(np.arange(len(first.items))).tolist():
        seen = [read_info(*sources_of_reader(side.reader, side.items[pair : pair + 1])) for side, _ in sides]
        for (side, other), info in zip(others, seen[1:], strict=True):
            one = seen[0]
            exact = is_map(other) or is_map(decoder)
            if one and info and (why := unlike((one.height, one.width), (info.height, info.width), exact)):
                shape = "a label map has the size of its picture" if exact else "partners have one shape"
                raise UserError(f"{side.name(pair)!r}: {why} {first.name(pair)!r}; {shape}.")
    for side, each in sides:
        some = sample_evenly(np.arange(len(side.items)))[:: max(len(side.items) // MAPS_READ, 1)]
        for pair in some.tolist() if is_map(each) else ():
            read_map(side, each, pair)


def read_map(side: Side, decoder: Decoder, pair: int) -> None:
    """Decode a map; UserError if it is not what the settings say. What cannot be read is named when its turn comes."""
    try:
        decoder(side.reader.read(int(side.items[pair])), side.name(pair))
    except UserError:
        raise
    except Exception:  # a broken file may raise anything in a decoder
        return


class PairImages(Images):
    """Pairs in one order; a readable one stands in for each of which one image is not."""

    paired = True

    def __init__(
        self,
        settings: Pairs,
        layout: PairLayout,
        pictures: PairPictures,
        frames: Sequence[Frame],
        groups: Sequence[tuple[int, ...]],
        labels: Labels | None,
        notes: tuple[str, ...],
    ):
        """`frames`, `groups`: of a and b, what they are made to fit and which arrays of `pictures` they consist of."""
        self.pictures, self.kept, self.labels = pictures, cache_if_small(pictures, settings.cache_mb), labels
        self.layout, self.order = layout, Order(len(pictures))
        self.notes = (
            *dict.fromkeys(note for side in (layout.a, layout.b) if side for note in side.reader.notes),
            *notes,
        )
        names = ROLES if layout.names == ("a", "b") else layout.names
        places = (0, 1) if settings.direction == "a_to_b" else (1, 0)
        if names == ROLES and settings.direction == "b_to_a":
            names = (ROLES[1], ROLES[0])
        least = min(frame.height for frame in frames)
        self.parts = {names[place]: groups[place] for place in places}
        self.jitters = {
            names[place]: jitter_of(settings, frames[place], frames[place].height // least)[0] for place in places
        }
        self._domains = {
            names[place]: spec_of(settings, place, frames[place], len(groups[place]), labels) for place in places
        }
        self.spec = [*self._domains.values()][-1]

    @property
    def domains(self) -> Mapping[str, ImageSpec]:
        """The spec of what is given, then of what is to be made."""
        return self._domains

    def __len__(self) -> int:
        return len(self.pictures)

    def at(self, positions: list[int], seed: int) -> Batch:
        """The images that are to be made."""
        return self.domain_batches(positions, seed)[[*self._domains][-1]]

    def domain_batches(self, positions: list[int], seed: int) -> dict[str, Batch]:
        """Both images of the pairs at these positions, with the same labels."""
        found = [next_readable(self.kept, index, self.note) for index in self.order(positions, seed)]
        labels = torch.from_numpy(self.labels.rows([index for index, _ in found])) if self.labels else None
        pairs = [self.pictures.unpack(flat) for _, flat in found]
        return {name: Batch(self._stack(name, pairs, positions, seed), labels) for name in self._domains}

    def _stack(self, name: str, pairs: list[list[np.ndarray]], positions: Sequence[int], seed: int) -> torch.Tensor:
        """The images uint8 [N, C, H, W] of one domain."""
        jitter, drawn = self.jitters[name], []
        for arrays, position in zip(pairs, positions, strict=True):
            parts = [arrays[part] for part in self.parts[name]]
            array = parts[0] if len(parts) == 1 else np.concatenate(parts)
            drawn.append(jitter(array, seed, position) if jitter else array)
        return torch.from_numpy(np.stack(drawn))

    def content(self) -> Content:
        """Which images both sides hold."""
        sides = {letter: side for letter, side in zip("ab", (self.layout.a, self.layout.b), strict=True) if side}
        whole = super().content()
        each = {letter: content_of_items(whole, side.reader, side.items, self.labels) for letter, side in sides.items()}
        return join_contents(whole, each)


def spec_of(settings: Pairs, place: int, frame: Frame, arrays: int, labels: Labels | None) -> ImageSpec:
    """The spec of a domain; that of label maps has a channel a class, and one for the edges of instances."""
    spec = ImageSpec(frame.height, frame.width, frame.channels)
    if settings.maps.of == "ab"[place]:
        classes = settings.maps.classes
        spec = ImageSpec(frame.height, frame.width, classes + arrays - 1, classes=classes)
    return labels.add_to(spec) if labels else spec
