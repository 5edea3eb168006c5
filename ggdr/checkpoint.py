"""Checkpoints: one folder each, safetensors and JSON only, written aside and moved into place.

A crash at any moment leaves the checkpoints before it whole: the folder gets its name when all of it is on disk,
and old ones go only after that.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ggdr.documents import one_line, read_object, read_tensors

Content = TypeVar("Content")


def save(out: Path, step: int, tensors: Mapping[str, Mapping[str, Tensor]], documents: Mapping[str, Any]) -> Path:
    """Write `out/checkpoints/STEP`: a safetensors file for each of `tensors`, a file for each of `documents`.

    ValueError if the disk refuses; the checkpoints before it are untouched then.
    """
    final = out / "checkpoints" / f"{step:08d}"
    try:
        write(final, tensors, documents)
    except OSError as error:
        kept = latest(out)
        last = f"the last good checkpoint is {kept}" if kept else "there is no checkpoint yet"
        raise ValueError(f"cannot write {final}: {error}; {last}: mend the disk and type the same command.") from error
    return final


def write(final: Path, tensors: Mapping[str, Mapping[str, Tensor]], documents: Mapping[str, Any]) -> None:
    """Make the folder `final`, whole or not at all; a document that is no string is written as JSON. OSError if not."""
    aside = final.with_name(f".writing-{final.name}-{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        for name, state in tensors.items():
            save_file(plain(state), aside / f"{name}.safetensors")
        for name, document in documents.items():
            (aside / name).write_text(document if isinstance(document, str) else json.dumps(document, indent=1))
        for file in aside.iterdir():
            file.chmod(0o666 & ~umask())  # safetensors makes files that only their owner can read
            flush(file)
        flush(aside)
        if final.exists():
            shutil.rmtree(final)
        aside.rename(final)
        flush(final.parent)
    except SafetensorError as error:
        raise OSError(str(error)) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies on the host, each with a memory of its own, as safetensors wants them."""
    return {key: value.detach().to("cpu", copy=True).contiguous() for key, value in state.items()}


def umask() -> int:
    """The process's umask, which can be read only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def flush(path: Path) -> None:
    """Wait until a file or folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def complete(out: Path) -> list[Path]:
    """The run's checkpoints, oldest first."""
    folder = out / "checkpoints"
    return sorted(path for path in folder.glob("[0-9]*") if path.name.isdigit() and path.is_dir())


def latest(out: Path) -> Path | None:
    """The newest checkpoint, None if there is none."""
    return next(reversed(complete(out)), None)


def prune(out: Path, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints, and what crashed saves left."""
    stale = complete(out)[:-keep] + list((out / "checkpoints").glob(".writing-*"))
    for path in stale:
        shutil.rmtree(path, ignore_errors=True)


def read(checkpoint: Path, name: str) -> dict[str, Tensor]:
    """The tensors of one of its files, on the host; ValueError if the file is missing or torn."""
    return whole(checkpoint / f"{name}.safetensors", read_tensors)


def read_json(checkpoint: Path, name: str) -> dict[str, Any]:
    """One of its documents; ValueError if the file is missing or torn, or holds no object."""
    return whole(checkpoint / name, read_object)


def read_progress(checkpoint: Path) -> dict[str, Any]:
    """How far the run was, at least `step` and `images_seen`; ValueError if the file is missing, torn or edited."""
    progress = read_json(checkpoint, "progress.json")
    counts = [progress.get(name) for name in ("step", "images_seen")]
    if not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError(
            f"cannot read {checkpoint / 'progress.json'}: step and images_seen are {counts[0]!r} and {counts[1]!r}, not"
            f" whole numbers; remove {checkpoint} to go on from the one before."
        )
    return progress


def whole(path: Path, read: Callable[[Path], Content]) -> Content:
    """What `read` finds in a checkpoint's file; ValueError with what to do if it cannot be read."""
    try:
        return read(path)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"cannot read {path}: {one_line(error)}; remove {path.parent} to go on from the one before."
        ) from error


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimizer's state as tensors by "INDEX.KEY"."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{key}": value for index, values in state.items() for key, value in values.items()}


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Take back what `optimizer_tensors` gave; rates stay those of the optimizer."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
