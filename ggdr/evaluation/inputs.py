"""The inputs of an evaluation: data sets and metrics by name, and the ranges of its numbers. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ggdr.data.base import DataSet
from ggdr.data.images import ImageFiles
from ggdr.data.reading.files.patterns import is_address_or_pattern
from ggdr.documents import is_hub_id, one_line, or_hub_id, read_object, suggest_similar
from ggdr.errors import UserError, setting
from ggdr.flags.parts import fresh, part_kind
from ggdr.metrics.base import Metric
from ggdr.recipe.files import from_json
from ggdr.registry import datasets, extractors, metrics

STANDARD = ("fid", "kid", "precision_recall", "swd")
"""metrics that are measured if none is named"""
PAIRED = ("l1", "psnr", "ssim", "lpips")
"""metrics that are measured beside them, of a translator whose images have truths"""
OF_MAPS = ("mean_iou",)
"""metrics that are measured beside those, of a translator of label maps"""
RANGES = {
    "seed": (0, 2**31 - 1),  # so that the seeds of all repeats tell torch's random streams apart
    "batch_size": (1, 64),
    "repeats": (1, 1000),
    "steps": (1, 1_000_000),
}
"""lowest and highest value of each number"""
PARENTS = 2
"""folders above a source that may be its run's"""


def check_ranges(given: Mapping[str, int | None]) -> None:
    """Raise UserError if a number is out of its range; None passes."""
    for name, value in given.items():
        low, high = RANGES[name]
        if value is not None and not low <= value <= high:
            raise UserError(f"{setting(name)} {value} is out of range; give a number from {low} to {high}.")


def check_source(source: str, revision: str | None = None) -> None:
    """Raise UserError if a source is neither here nor looks like a repository of the Hub, for which a revision says."""
    if not Path(source).exists() and not is_hub_id(source, revision) and not is_address_or_pattern(source):
        raise UserError(
            f"there is no {source!r} here{suggest_similar(Path(source))}; give the folder of a run, of a checkpoint, of"
            f" a saved model or pipeline, images (a folder, .zip, .tar, .npz, ...), {or_hub_id(source)}."
        )


def find_data(name: str) -> DataSet:
    """Return the data set that is registered under a name, or the images in the place of this name."""
    return fresh(datasets.find(name), "--data") if name in datasets else ImageFiles(source=name)


def data_of_run(source: str) -> DataSet:
    """Return the data set that the run was trained on which a source is or belongs to; UserError if there is none."""
    here = Path(source)
    if not here.exists():
        raise UserError(
            f"there is no run, model or folder {source!r} here{suggest_similar(here)}; for a Hub repository of that"
            " name add --data SOURCE, the real images to compare it with."
        )
    for folder in (here, *list(here.absolute().parents)[:PARENTS]):
        if (file := folder / "recipe.json").is_file():
            return from_json(DataSet, data_in(file), "recipe.data")
    raise UserError(f"no real images to compare {source!r} with; add --data digits, or --data and a folder of images.")


def data_in(file: Path) -> Any:
    """Read the data set's entry in a run's recipe.json; UserError if it cannot be read."""
    try:
        return read_object(file)["data"]
    except (OSError, UserError, KeyError) as error:
        raise UserError(f"{file} cannot be read: {one_line(error)}; say by --data what the real images are.") from error


def find_metrics(
    wanted: Sequence[str | Metric], data: DataSet, images: int | None, reals: int | None, extractor: str
) -> dict[str, Metric]:
    """Return the metrics by name; those given by name read features by `extractor`, or by the data's own if it has one.

    `images`, `reals`: how many generated and real images metrics given by name look at; None: their default.
    """
    numbers = {name: number for name, number in {"images": images, "reals": reals}.items() if number is not None}
    named = {each: fresh(metrics.find(each), "--metrics") for each in wanted if isinstance(each, str)}
    if extractor and not any(reads(metric, extractor) for metric in named.values()):
        given = ", ".join(named) or "no metric"
        raise UserError(f"{given} cannot read features by {extractor!r}; leave {setting('extractor')} out.")
    extractor = extractor or data.features
    for name, metric in named.items():
        features = {"extractor": extractors.find(extractor)()} if extractor and reads(metric, extractor) else {}
        named[name] = replace(metric, **numbers, **features)
    return {each: named[each] for each in wanted if isinstance(each, str)} | {
        each.name: each for each in wanted if isinstance(each, Metric)
    }


def reads(metric: Metric, extractor: str) -> bool:
    """Return whether the metric can read features by the extractor of this name; empty: by any."""
    kind, given = part_kind(metric, "extractor")[0], extractors.find(extractor) if extractor else None
    return kind is not None and (given is None or issubclass(given, kind))


def paired_beside(given: Mapping[str, Metric], of_maps: bool) -> dict[str, Metric]:
    """The metrics of pairs, of as many images as those that are measured beside them.

    `of_maps`: the images are made of label maps.
    """
    images = max(metric.images for metric in given.values())
    names = (*PAIRED, *OF_MAPS) if of_maps else PAIRED
    return {name: replace(fresh(metrics.find(name), "--metrics"), images=images) for name in names}
