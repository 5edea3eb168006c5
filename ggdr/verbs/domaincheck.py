"""`ggdr data check SOURCE` of two domains, or of pictures that become two: what was found, and the flags to type."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ggdr.data.domains import Domains, TwoDomains
from ggdr.data.images import ImageFiles
from ggdr.data.pairs import Pairs
from ggdr.data.super_resolution import SuperResolution
from ggdr.errors import UserError
from ggdr.formatting import significant
from ggdr.verbs.datacheck import (
    SHOWN,
    ItemReport,
    as_flags,
    count_items,
    data_words,
    inspect_items,
    lines_of,
    suggest_size,
    tally,
    unread_lines,
    unreadable_lines,
)
from ggdr.verbs.recommend import for_two

if TYPE_CHECKING:
    from ggdr.data.reading.domains.pair_layout import PairLayout, Side
    from ggdr.data.reading.pixels.decode import ImageInfo
    from ggdr.data.reading.reader import Reader

Found = Mapping[str, list[ItemReport]]
"""the items of each domain"""
ONE_CHANNEL = ("L", "P", "1", "I", "I;16")
"""modes of Pillow in which label maps come"""


def guess(files: ImageFiles) -> TwoDomains | None:
    """The set of two domains that a source is beyond doubt, where nothing was typed that says otherwise; else None.

    Columns that repeat themselves and folders without partners are two domains, others are pairs.
    """
    from ggdr.data.reading.domains.layout import columns_in, folders_in
    from ggdr.data.reading.domains.pair_layout import find_pairs
    from ggdr.data.reading.reader import Columns

    if files.labels or files.image_column or files.files or not files.source:
        return None
    try:
        folders = folders_in(files.source, files.split, files.config)
        columns = [] if folders else columns_in(files.source, Columns(split=files.split, config=files.config))
    except UserError:  # trainA alone, or nothing that can be read: the report on images says so
        return None
    lettered = folders is not None and not any(folders.names)
    if not lettered and len(columns) != 2:
        return None
    shared = {name: vars(files)[name] for name in ("source", "size", "channels", "split", "config", "subset")}
    pairs, domains = Pairs(**shared), Domains(**shared)
    try:
        layout = find_pairs(pairs)
    except UserError:
        return domains
    if columns:
        return domains if any(repeats(side) for side in (layout.a, layout.b) if side) else pairs
    # numbered alike, trainA and trainB may still be no pairs: only A and B of one folder are called so on purpose
    return domains if folders and folders.a.name.casefold() != "a" else pairs


def repeats(side: Side) -> int:
    """How many images of a side are there before, or empty."""
    from ggdr.data.reading.domains.unpaired import drop_repeats

    return len(side.items) - len(drop_repeats(side.reader, side.items, [], ""))


def report_two(settings: TwoDomains) -> tuple[list[str], int]:
    """The lines of the report, and how many images can be read; UserError if it cannot even be opened."""
    return report_pairs(settings) if isinstance(settings, Pairs) else report_domains(settings)


def report_domains(settings: TwoDomains) -> tuple[list[str], int]:
    """The report on two domains without pairs."""
    from ggdr.data.reading.domains.layout import find_domains
    from ggdr.data.reading.domains.unpaired import open_domain

    assert isinstance(settings, Domains)
    layout = find_domains(settings)
    sized = replace(layout.a, size=settings.size or 32), replace(layout.b, size=settings.size or 32)  # to look inside
    with warnings.catch_warnings(action="ignore"):
        sets = [
            open_domain(settings, layout._replace(a=sized[0], b=sized[1]), n, i) for i, n in enumerate(layout.names)
        ]
        sources = {name: images.source for name, images in zip(layout.names, sets, strict=True) if images.source}
        found = {name: [*inspect_items(*source)] for name, source in sources.items()}
    lines = [(name, part_lines(found[name], reader)) for name, (reader, _) in sources.items()]
    infos = [item.info for items in found.values() for item in items if item.info]
    if infos and settings.size is None:
        settings = replace(settings, size=suggest_size(infos))
    return finish(settings, layout.kind, lines, len(infos))


def report_pairs(settings: Pairs) -> tuple[list[str], int]:
    """The report on pairs."""
    from ggdr.data.reading.domains.pair_layout import find_pairs

    layout = find_pairs(settings)
    sides = {letter: side for letter, side in (("a", layout.a), ("b", layout.b)) if side is not None}
    with warnings.catch_warnings(action="ignore"):
        found = {letter: [*inspect_items(side.reader, side.items)] for letter, side in sides.items()}
    infos = [item.info for items in found.values() for item in items if item.info]
    if infos and settings.size is None and not (settings.a.size or settings.b.size):
        settings = replace(settings, size=pair_size(found, layout.b is None))
    lines = [(letter if layout.b else "both", part_lines(found[letter], side.reader)) for letter, side in sides.items()]
    lines += [("pairs", [*pair_lines(layout, found)]), ("classes", [*class_lines(settings, sides, found)])]
    return finish(settings, layout.kind, lines, len(infos))


def report_parts(settings: SuperResolution) -> tuple[list[str], int]:
    """The report on pictures whose parts are made smaller; UserError if they cannot even be opened."""
    from ggdr.data.reading.opening import open_files, select_subset

    reader = open_files(settings.pictures())
    with warnings.catch_warnings(action="ignore"):
        found = [*inspect_items(reader, select_subset(len(reader), settings.subset, 0))]
    readable = sum(item.info is not None for item in found)
    return finish(settings, reader.kind, [("pictures", part_lines(found, reader))], readable)


def finish(
    settings: TwoDomains | SuperResolution, kind: str, parts: list[tuple[str, list[str]]], readable: int
) -> tuple[list[str], int]:
    """The report, with what the trainer makes of it and the flags."""
    head = f"{settings.name}, {kind} {settings.identity()}"
    if not readable:
        return [head, *lines_of(*parts)], 0
    told, warned = opened(settings)
    advice = for_two(settings).lines(data_words(settings), settings.identity()) if told else []
    sections = (("trainer", told), ("warnings", warned), ("flags", [as_flags(settings)]), *advice)
    return [head, *lines_of(*parts, *sections)], readable


def opened(settings: TwoDomains | SuperResolution) -> tuple[list[str], list[str]]:
    """What the trainer opens, and what it says and warns of; what it refuses is a warning here."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            images = settings.open()
            held = settings.held_out()
            tests = [f"for tests: {len(held.open()):,} an epoch, by --data.split {held.split}"] if held else []
        except UserError as error:
            error.move("data")
            return [], [error.in_flags(), *(str(each.message) for each in caught)]
    shapes = (
        f"{name} {spec.height}x{spec.width}, {spec.channels} channel{'s' * (spec.channels > 1)}"
        for name, spec in images.domains.items()
    )
    told = [f"{len(images):,} an epoch: {'; '.join(shapes)}", *tests]
    return told, [*images.notes, *dict.fromkeys(str(each.message) for each in caught)]


def part_lines(found: list[ItemReport], reader: Reader) -> list[str]:
    """What one domain holds."""
    infos = [item.info for item in found if item.info]
    sizes = tally(Counter(f"{info.height}x{info.width}" for info in infos))
    return [
        count_items(found, len(found)),
        *([f"{sizes}  (height x width); {tally(Counter(info.mode for info in infos))}"] if infos else []),
        *(f"not read: {line}" for line in unread_lines(reader)),
        *(f"unreadable: {line}" for line in unreadable_lines(found)),
    ]


def pair_size(found: Found, halved: bool) -> tuple[int, int] | None:
    """The size to suggest; None where the domains differ in size and keep what they have."""
    each = {letter: [item.info for item in items if item.info] for letter, items in found.items()}
    sizes = [{(info.height, info.width) for info in infos} for infos in each.values()]
    if len(sizes) > 1 and all(len(some) == 1 for some in sizes) and sizes[0] != sizes[1]:
        return None
    infos = [info for some in each.values() for info in some]
    return suggest_size([info._replace(width=info.width // 2) for info in infos] if halved else infos)


def pair_lines(layout: PairLayout, found: Found) -> Iterator[str]:
    """How many pairs there are, those that differ in shape, and sides that repeat themselves."""
    from ggdr.data.reading.domains.partner_pictures import unlike

    yield f"{len(layout.a.items):,}"
    if layout.b is None:
        wide = [item.name for item in found["a"] if item.info and item.info.width % 2]
        if wide:
            yield f"{len(wide):,} of odd width, which are no two pictures side by side: {', '.join(wide[:SHOWN])}"
        return
    odd = [
        f"{other.name} {why} {one.name}"
        for one, other in zip(found["a"], found["b"], strict=True)
        if one.info and other.info and (why := unlike(shape(one.info), shape(other.info), exact=False))
    ]
    if odd:
        yield f"{len(odd):,} of two shapes, left out: {'; '.join(odd[:SHOWN])}"
    for letter, items in found.items():
        digests = [item.digest for item in items if item.info]
        if copies := len(digests) - len(set(digests)):
            yield (
                f"{copies:,} images of {letter} are there before: columns that were zipped to the longer one are no"
                " pairs, and --data domains reads them as two lists"
            )


def shape(info: ImageInfo) -> tuple[int, int]:
    """Height and width of an image as its header gives them, pixels."""
    return info.height, info.width


def class_lines(settings: Pairs, sides: Mapping[str, Side], found: Found) -> Iterator[str]:
    """What the values of label maps are, or which of the sides may be label maps."""
    if settings.maps.of == "none":
        yield from may_be_maps(found)
        return
    from ggdr.data.reading.domains.partner_pictures import read_numbers

    side, values = sides[settings.maps.of], Counter[int]()
    for pair in range(len(side.items)):
        try:
            numbers = read_numbers(side.reader.read(int(side.items[pair])), side.name(pair))
        except Exception as error:  # a broken file may raise anything in a decoder
            yield f"{side.name(pair)}: {error}"
            continue
        import numpy as np

        values.update(dict(zip(*map(np.ndarray.tolist, np.unique(numbers, return_counts=True)), strict=True)))
    total = values.total() or 1
    shown = ", ".join(f"{value}: {significant(100 * count / total, 2)} %" for value, count in values.most_common(SHOWN))
    yield f"{len(values)} values from {min(values, default=0)} to {max(values, default=0)}; of all pixels {shown}"


def may_be_maps(found: Found) -> Iterator[str]:
    """Say which side holds numbers of one channel where the other is in colours."""
    modes = {letter: {item.info.mode for item in items if item.info} for letter, items in found.items()}
    gray = [letter for letter, some in modes.items() if some and some <= {*ONE_CHANNEL}]
    if len(modes) == 2 and len(gray) == 1:
        yield (
            f"{gray[0]} has one channel: if its images are label maps, type --data.maps.of {gray[0]}"
            " --data.maps.classes K"
        )
