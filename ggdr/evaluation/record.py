"""The record of an evaluation: values with their intervals and all that they depend on, as JSON that stays."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from ggdr import __version__
from ggdr.errors import UserError
from ggdr.formatting import from_to, significant

CONFIDENCE = 0.95
LIBRARIES = (
    "torch",
    "torchvision",
    "torch-fidelity",
    "torchmetrics",
    "timm",
    "diffusers",
    "numpy",
    "scipy",
    "scikit-learn",
    "pillow",
)
"""what values may depend on, as far as it is installed"""


class Spread(NamedTuple):
    """A value measured several times."""

    values: list[float]

    @property
    def mean(self) -> float:
        """Their mean."""
        return math.fsum(self.values) / len(self.values)

    @property
    def std(self) -> float | None:
        """Their standard deviation, with one degree of freedom less than values; None of a single one."""
        if len(self.values) < 2:
            return None
        return math.sqrt(math.fsum((value - self.mean) ** 2 for value in self.values) / (len(self.values) - 1))

    @property
    def half(self) -> float | None:
        """Half the width of Student's 95 % interval of the mean; None of a single value."""
        from scipy.stats import t

        if self.std is None:
            return None
        quantile = float(t.ppf((1 + CONFIDENCE) / 2, len(self.values) - 1))
        return quantile * self.std / math.sqrt(len(self.values))

    def as_json(self) -> dict[str, Any]:
        """Mean, standard deviation, interval, and the values themselves; null where there is none."""
        half = self.half
        interval = None if half is None else [number(self.mean - half), number(self.mean + half)]
        return {
            "mean": number(self.mean),
            "std": number(self.std),
            "interval": interval,
            "repeats": [number(value) for value in self.values],
        }


def number(value: float | None) -> float | None:
    """The value as JSON can hold it: None if it is not finite."""
    return value if value is not None and math.isfinite(value) else None


def versions() -> dict[str, str]:
    """The package's version and those of the libraries that are installed."""
    found = {"ggdr": __version__}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


class Row(NamedTuple):
    """A line of the table."""

    name: str
    spread: Spread
    better: str
    images: str
    extractor: str


def table(rows: Sequence[Row]) -> list[str]:
    """Lines with a column each for metric, value, 95 % interval, which way is better, images, and extractor."""
    cells = [("metric", "value", "95 % interval", "better", "images (real, measured)", "extractor")]
    for row in rows:
        half, mean = row.spread.half, row.spread.mean
        interval = "-" if half is None else from_to(mean - half, mean + half)
        cells.append((row.name, significant(mean), interval, row.better, row.images, row.extractor))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def check_free(file: Path) -> None:
    """UserError if a file is there already."""
    if file.exists():
        raise UserError(f"--out {file} is there already, and records are never overwritten; give another name.")


def check_writable(folder: Path) -> None:
    """UserError if no record can be written to a folder, which need not be there yet."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise UserError(f"no record can be written to {folder}; give another place by --out FILE.")


def write_record(record: Mapping[str, Any], file: Path) -> Path:
    """Write a record to a file that is not there yet; FileExistsError if it is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, allow_nan=False)
    with file.open("x") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return file


def write_numbered(record: Mapping[str, Any], folder: Path, name: str) -> Path:
    """Write a record to the folder under the next number: 0001-NAME.json."""
    taken = [int(file.name[:4]) for file in folder.glob("[0-9][0-9][0-9][0-9]-*.json")]
    for place in range(max(taken, default=0) + 1, 10_000):
        try:
            return write_record(record, folder / f"{place:04}-{name}.json")
        except FileExistsError:  # another evaluation was quicker
            continue
    raise UserError(f"{folder} holds 9,999 records; give another place by --out FILE.")
