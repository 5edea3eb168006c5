"""Folders that this package makes: the mark by which they are known, and what they may not replace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

MARK = ".ggdr"
"""file of a folder that was made here: what lies in it is no data of a source above it"""
RUN = frozenset(
    "recipe.json metrics.jsonl losses.png samples checkpoints model tensorboard failure.txt run_id.txt".split()
)
"""what a run writes into its folder, beside recipe.py, which people write there as well"""
RECIPE, RESOLVED = "recipe.py", "resolved_recipe.py"


def mark(folder: Path) -> None:
    """Make a folder if it is not there, and mark it as made here; OSError if the disk refuses."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / MARK).exists():
        (folder / MARK).write_text("{}\n")


def is_run(folder: Path) -> bool:
    """Whether a run has written to a folder; those of earlier versions, which left no mark, are known by two files."""
    return (folder / MARK).is_file() or all((folder / name).is_file() for name in ("recipe.json", RECIPE))


def check_run(folder: Path) -> None:
    """ValueError if a folder holds what a run would replace, and no run has written to it."""
    theirs = [] if is_run(folder) else sorted(name for name in RUN if holds_something(folder / name))
    if theirs:
        raise ValueError(
            f"{folder} holds {' and '.join(theirs)}, which no run wrote and this one would replace; give another --out."
        )


def holds_something(path: Path) -> bool:
    """Whether a file is there, or a folder that is not empty."""
    return any(path.iterdir()) if path.is_dir() else path.exists()


def write_recipe(folder: Path, text: str) -> Path:
    """Write a run's recipe into its folder as recipe.py; beside it, if a person wrote or changed the one there."""
    known = written(folder)
    file = folder / RECIPE
    if file.exists() and digest(file.read_bytes()) not in known:
        file = folder / RESOLVED
    known[digest(text.encode())] = RECIPE
    (folder / MARK).write_text(json.dumps(known, indent=1) + "\n")  # first: a crash in between costs nothing then
    file.write_text(text)
    return file


def written(folder: Path) -> dict[str, str]:
    """The recipes that runs have written to a folder: hash of the text -> name of the file."""
    try:
        known = json.loads((folder / MARK).read_text())
    except (OSError, ValueError):
        known = {}
    earlier = {digest(copy.read_bytes()): RECIPE for copy in folder.glob(f"checkpoints/*/{RECIPE}")}
    return earlier | (known if isinstance(known, dict) else {})


def digest(data: bytes) -> str:
    """The hash of a file's bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def check_free(files: Iterable[Path], overwrite: bool) -> None:
    """ValueError if one of the files is there, unless it may be replaced."""
    there = next((file for file in files if file.exists()), None)
    if there is not None and not overwrite:
        raise ValueError(f"{there} is there already; give another --out, or add --overwrite.")
