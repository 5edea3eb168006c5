"""Checkpoints: one folder each, safetensors and JSON only, written aside and moved into place.

A crash at any moment leaves the checkpoints before it whole: the folder gets its name when all of it is on disk,
and old ones go only after that.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor


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


def good(out: Path) -> list[Path]:
    """The checkpoints that were made while the run was well, oldest first."""
    return [path for path in complete(out) if not read_json(path, "progress.json").get("ill")]


def forget(out: Path, after: Path) -> None:
    """Remove the checkpoints that came after one of them, the newest first."""
    for path in reversed([path for path in complete(out) if path.name > after.name]):
        shutil.rmtree(path)


def prune(out: Path, keep: int) -> None:
    """Remove all but the newest `keep` good checkpoints and the very newest, and what crashed saves left."""
    stay = good(out)[-keep:] + complete(out)[-1:]
    stale = [path for path in complete(out) if path not in stay]
    stale += (out / "checkpoints").glob(".writing-*")
    for path in stale:
        shutil.rmtree(path, ignore_errors=True)


def read(checkpoint: Path, name: str) -> dict[str, Tensor]:
    """The tensors of one of its files, on the host; ValueError if the file is missing or torn."""
    path = checkpoint / f"{name}.safetensors"
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"cannot read {path}: {error}; remove {checkpoint} to go on from the one before.") from error


def read_json(checkpoint: Path, name: str) -> Any:
    """One of its documents; ValueError if the file is missing or torn."""
    path = checkpoint / name
    try:
        return json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise ValueError(f"cannot read {path}: {error}; remove {checkpoint} to go on from the one before.") from error


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
