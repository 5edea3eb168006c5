"""`ggdr data check --data NAME` of any data set, also of a plug-in: what it holds, vectors of numbers or images."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ggdr.data.base import DataSet, Images
from ggdr.data.images import ImageFiles
from ggdr.data.vectors import Vectors
from ggdr.formatting import significant
from ggdr.verbs.datacheck import as_flags, lines_of, tally

if TYPE_CHECKING:
    from torch import Tensor

    from ggdr.networks.base import ImageSpec

MOST = 16_384
"""items that are read, at most"""
CHUNK = 256
"""items that are read at a time"""
ARRAY, COLUMN = "vectors", "vector"
"""what holds vectors in a .npz, and in a .parquet"""


def guess_vectors(files: ImageFiles) -> Vectors | None:
    """The vectors that a source holds beyond doubt, where nothing was typed that says otherwise; else None."""
    file = Path(files.source)
    if files != ImageFiles(source=files.source) or file.suffix not in (".npz", ".parquet") or not file.is_file():
        return None
    try:
        if file.suffix == ".npz":
            from ggdr.data.reading.arrays.npy import read_headers

            found = read_headers(file).get(ARRAY)
            there = found is not None and len(found[0].shape) == 2
        else:
            import pyarrow.parquet

            there = COLUMN in pyarrow.parquet.read_schema(file).names
    except Exception:  # no such file at all: the report on images says so
        return None
    if not there:
        return None
    return Vectors(source=files.source, labels="classes" if classes_in(file) else "none")


def classes_in(file: Path) -> bool:
    """Whether a file of vectors tells their classes."""
    from ggdr.data.reading.vectors import COLUMNS, columns_of

    return "classes" in columns_of(file, {"classes": COLUMNS["classes"]})


def report_set(settings: DataSet) -> tuple[list[str], int]:
    """The lines of the report on an opened data set, and how many items it has; UserError if it cannot be opened."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        images = settings.open()
        held_out = settings.held_out()
        tests = None if held_out is None else held_out.open()
    sections = []
    for name, spec in images.domains.items():
        read = items_of(images, name)
        title = ("vectors" if spec.continuous else "images") if len(images.domains) == 1 else name
        sections.append((title, [*kind_lines(spec, *read, images.count(name))]))
    sections += [
        ("held out", [] if tests is None else [f"{len(tests):,} for tests"]),
        ("notes", [*images.notes]),
        ("unreadable", [f"{name}: {why}" for name, why in images.unreadable.items()]),
        ("warnings", [*dict.fromkeys(str(each.message) for each in caught)]),
        ("flags", [as_flags(settings)]),
    ]
    return [f"{settings.name} {settings.identity()}", *lines_of(*sections)], len(images)


def items_of(images: Images, domain: str) -> tuple[Tensor, Tensor | None]:
    """The first items of a domain [N, C, H, W] in the order of seed 0, as it holds them, and their labels [N, L]."""
    import torch

    batches = [
        images.domain_batches(list(range(first, min(first + CHUNK, count))), 0)[domain]
        for count in [min(images.count(domain), MOST)]
        for first in range(0, count, CHUNK)
    ]
    labels = [batch.labels for batch in batches if batch.labels is not None]
    return torch.cat([batch.images for batch in batches]), torch.cat(labels) if labels else None


def kind_lines(spec: ImageSpec, items: Tensor, labels: Tensor | None, count: int) -> Iterator[str]:
    """What the items of one kind are: their number and shape, what their numbers are, and their labels."""
    what = "vectors" if spec.continuous else "images"
    copies = len(items) - len(items.flatten(1).unique(dim=0))
    some = f", of which {len(items):,} were read" if len(items) < count else ""
    yield f"{count:,}{some}" + (f", {copies:,} identical to another one" if copies else "")
    if spec.continuous:
        yield from number_lines(items.flatten(1))
    else:
        yield f"{spec.height}x{spec.width}, {spec.channels} channel{'s' * (spec.channels > 1)}"
    if labels is None:
        yield "no labels"
    else:
        yield f"labels {spec.labels} wide; {label_line(spec, labels)}"
    if copies == len(items) - 1 and copies:
        yield f"all {what} are alike, and there is nothing to learn from them"


def number_lines(rows: Tensor) -> Iterator[str]:
    """What the numbers of vectors [N, K] are, and which of them tell nothing."""
    low, high = rows.amin(dim=0), rows.amax(dim=0)
    mean, spread = (float(each) for each in (rows.mean(), rows.std(dim=0, correction=0).mean()))
    least, most = float(low.min()), float(high.max())
    yield (
        f"{rows.shape[1]:,} numbers each, which networks see from {significant(least)} to {significant(most)}, mean"
        f" {significant(mean)}, standard deviation of each {significant(spread)} on average"
    )
    if same := int((low == high).sum()):
        yield f"{same:,} of the {rows.shape[1]:,} numbers never vary"
    if least < most and bool(((rows == least) | (rows == most)).all()):
        yield f"they are bits: {significant(100 * float((rows == most).double().mean()), 3)} % are set"


def label_line(spec: ImageSpec, labels: Tensor) -> str:
    """Items of each class, or the range of each number."""
    names = spec.label_names or tuple(map(str, range(spec.labels)))
    if spec.label_ranges:
        ranges: Mapping[str, tuple[float, float]] = dict(zip(names, spec.label_ranges, strict=True))
        shown = [f"{name}: {significant(low)} to {significant(high)}" for name, (low, high) in ranges.items()]
        return ", ".join(shown[:8]) + (f", and {len(shown) - 8} others" if len(shown) > 8 else "")
    return tally(Counter(dict(zip(names, map(int, (labels != 0).sum(dim=0).tolist()), strict=True))))
