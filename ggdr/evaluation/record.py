"""Records of evaluations: JSON files that are numbered and never overwritten."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ggdr import __version__
from ggdr.errors import UserError
from ggdr.evaluation.sources import holds_model, is_foreign

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


def versions() -> dict[str, str]:
    """The package's version and those of the libraries that are installed."""
    found = {"ggdr": __version__}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def record_folder(source: str) -> Path:
    """The folder where records of a source lie.

    `metrics` in a model's folder or beside a file; `metrics/SOURCE` here for folders of images and for the Hub's.
    """
    here = Path(source)
    if here.is_dir() and (holds_model(here) or is_foreign(here)):
        return here / "metrics"
    if here.is_file():
        return here.parent / "metrics"
    return Path("metrics") / (here.absolute().name if here.is_dir() else re.sub(r"[^\w.-]+", "--", source))


def check_new_record(file: Path) -> None:
    """Raise UserError if a file is there already."""
    if file.exists():
        raise UserError(f"--out {file} is there already, and records are never overwritten; give another name.")


def check_writable(folder: Path) -> None:
    """Raise UserError if no record can be written to a folder, which need not be there yet."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise UserError(f"no record can be written to {folder}; give another place by --out FILE.")


def write_record(record: Mapping[str, Any], file: Path) -> Path:
    """Write a record to a file that is not there yet, and return the file; FileExistsError if it is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, allow_nan=False)
    with file.open("x", encoding="utf-8") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return file


def write_numbered(record: Mapping[str, Any], folder: Path, name: str) -> Path:
    """Write a record to the folder under the next number, 0001-NAME.json, and return its file."""
    taken = [int(file.name[:4]) for file in folder.glob("[0-9][0-9][0-9][0-9]-*.json")]
    for number in range(max(taken, default=0) + 1, 10_000):
        try:
            return write_record(record, folder / f"{number:04}-{name}.json")
        except FileExistsError:  # another evaluation was quicker
            continue
    raise UserError(f"{folder} holds 9,999 records; give another place by --out FILE.")
