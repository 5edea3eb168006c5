"""Checkpoints: one folder each, safetensors and JSON only, written aside and moved into place.

A crash at any moment leaves the checkpoints before it whole: the folder gets its name when all of it is on disk,
and old ones go only after that. Each lists the hashes of its files: `sha256sum -c SHA256SUMS` in its folder.
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

from ggdr.documents import file_sha256, one_line, read_object, read_tensors
from ggdr.errors import DiskError, UserError

Content = TypeVar("Content")
SUMS = "SHA256SUMS"
NUMBERS = {"int": torch.int64, "float": torch.float64, "bool": torch.bool, "NoneType": torch.float32}
"""what an optimizer may keep beside tensors -> how it is saved"""


def write_checkpoint(
    out: Path, step: int, tensors: Mapping[str, Mapping[str, Tensor]], documents: Mapping[str, Any]
) -> Path:
    """Write `out/checkpoints/STEP`: a safetensors file for each of `tensors`, a file for each of `documents`.

    UserError if the disk refuses; the checkpoints before it are untouched then.
    """
    final = out / "checkpoints" / f"{step:08d}"
    try:
        write_folder(final, tensors, documents, sums=True)
    except OSError as error:
        kept = latest(out)
        last = f"the last good checkpoint is {kept}" if kept else "there is no checkpoint yet"
        raise UserError(f"cannot write {final}: {error}; {last}: fix the disk and type the same command.") from error
    return final


def write_folder(
    final: Path, tensors: Mapping[str, Mapping[str, Tensor]], documents: Mapping[str, Any], *, sums: bool = False
) -> None:
    """Make the folder `final`, whole or not at all; a document that is no string is written as JSON. OSError if not.

    `sums`: add the files' hashes.
    """
    aside = final.with_name(f".writing-{final.name}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        for name, state in tensors.items():
            save_file(copy_to_host(state), aside / f"{name}.safetensors")
        for name, document in documents.items():
            (aside / name).write_text(
                document if isinstance(document, str) else json.dumps(document, indent=1), encoding="utf-8"
            )
        if sums:
            (aside / SUMS).write_text(
                "".join(f"{file_sha256(file)}  {file.name}\n" for file in sorted(aside.iterdir())), encoding="utf-8"
            )
        for file in aside.iterdir():
            flush(file)
            file.chmod(0o666 & ~umask())  # safetensors makes files that only their owner can read
        flush(aside)
        if final.exists():
            remove_folder(final)
        aside.rename(final)
        flush(final.parent)
    except SafetensorError as error:
        raise DiskError(str(error)) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_json(file: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON file, and wait until it is on disk."""
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    flush(file)


def copy_to_host(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies on the host, each with its own memory, as safetensors wants them."""
    return {key: value.detach().to("cpu", copy=True).contiguous() for key, value in state.items()}


def umask() -> int:
    """The process's umask, which can be read only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def remove_folder(folder: Path) -> None:
    """Remove a folder that is never seen in part under its name."""
    going = folder.with_name(f".removing-{folder.name}")
    shutil.rmtree(going, ignore_errors=True)
    folder.rename(going)
    shutil.rmtree(going, ignore_errors=True)


def flush(path: Path) -> None:
    """Wait until a file is on disk, or the names in a folder, as far as the system can do that."""
    try:
        handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)  # Windows waits for what it may write alone
    except PermissionError:
        if path.is_dir():  # which Windows does not open
            return
        raise
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def all_checkpoints(out: Path) -> list[Path]:
    """The run's checkpoints, oldest first."""
    folder = out / "checkpoints"
    return sorted(path for path in folder.glob("[0-9]*") if path.name.isdigit() and path.is_dir())


def latest(out: Path) -> Path | None:
    """The newest checkpoint, None if there is none."""
    return next(reversed(all_checkpoints(out)), None)


def corruption(checkpoint: Path) -> str:
    """Say how its files differ from what was written, "" if they are, or if it was made before hashes were kept."""
    try:
        lines = (checkpoint / SUMS).read_text(encoding="utf-8").splitlines()
        for line in lines:
            digest, _, name = line.partition("  ")
            if file_sha256(checkpoint / name) != digest:
                return f"{name} is not what was written"
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        return "" if missing == SUMS else f"{missing} is missing"
    except (OSError, ValueError) as error:
        return str(error)
    return "" if lines else f"{SUMS} is empty"


def latest_intact(out: Path) -> tuple[Path | None, list[str]]:
    """The newest checkpoint that is whole, None if there is none at all; damaged ones are set aside, and named.

    UserError if there are some and all of them are damaged: no run starts from the beginning unasked.
    """
    flaws: dict[Path, str] = {}
    for path in reversed(all_checkpoints(out)):
        if not (found := corruption(path)):
            return path, [set_aside(damaged, why, path) for damaged, why in flaws.items()]
        flaws[path] = found
    if flaws:
        raise UserError(
            f"no checkpoint of {out} is whole ({'; '.join(f'{path.name}: {why}' for path, why in flaws.items())}):"
            f" restore one from a copy, or remove {out / 'checkpoints'} to start from the beginning."
        )
    return None, []


def set_aside(damaged: Path, why: str, instead: Path) -> str:
    """Give a damaged checkpoint a name under which it is neither read nor counted; a sentence that says so."""
    new = damaged.with_name(f"damaged-{damaged.name}")
    shutil.rmtree(new, ignore_errors=True)
    damaged.rename(new)
    return f"{damaged} is damaged ({why}) and now called {new.name}; going back to {instead.name}."


def healthy_checkpoints(out: Path) -> list[Path]:
    """The checkpoints that were made while the run was well, oldest first."""
    return [path for path in all_checkpoints(out) if not read_json(path, "progress.json").get("unhealthy")]


def remove_after(out: Path, after: Path) -> None:
    """Remove the checkpoints that came after one of them, the newest first."""
    for path in reversed([path for path in all_checkpoints(out) if path.name > after.name]):
        remove_folder(path)


def prune(out: Path, keep: int) -> None:
    """Remove all but the newest `keep` good checkpoints and the very newest, and what crashed saves left."""
    stay = healthy_checkpoints(out)[-keep:] + all_checkpoints(out)[-1:]
    for path in all_checkpoints(out):
        if path not in stay:
            remove_folder(path)
    sweep(out)


def sweep(out: Path) -> None:
    """Remove what a run that was killed in writing or removing a checkpoint left of it."""
    for left in (out / "checkpoints").glob(".*ing-*"):
        shutil.rmtree(left, ignore_errors=True)


def load_tensors(checkpoint: Path, name: str) -> dict[str, Tensor]:
    """The tensors of one of its files, on the host; UserError if the file is missing or torn."""
    return explain_failure(checkpoint / f"{name}.safetensors", read_tensors)


def read_json(checkpoint: Path, name: str) -> dict[str, Any]:
    """One of its documents; UserError if the file is missing or torn, or holds no object."""
    return explain_failure(checkpoint / name, read_object)


def read_progress(checkpoint: Path) -> dict[str, Any]:
    """How far the run was, at least `step` and `images_seen`; UserError if the file is missing, torn or edited."""
    progress = read_json(checkpoint, "progress.json")
    counts = [progress.get(name) for name in ("step", "images_seen")]
    if not all(type(count) is int and count >= 0 for count in counts):
        raise UserError(
            f"cannot read {checkpoint / 'progress.json'}: step and images_seen are {counts[0]!r} and {counts[1]!r}, not"
            f" whole numbers; remove {checkpoint} to go on from the one before."
        )
    return progress


def explain_failure(path: Path, read: Callable[[Path], Content]) -> Content:
    """Return what `read` finds in a checkpoint's file; UserError with what to do if it cannot be read."""
    try:
        return read(path)
    except (OSError, UserError) as error:
        raise UserError(
            f"cannot read {path}: {one_line(error)}; remove {path.parent} to go on from the one before."
        ) from error


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimizer's state as tensors by "INDEX.KEY"; a number is one by "INDEX.KEY:KIND", and None an empty one.

    UserError if the optimizer keeps anything else.
    """
    state = optimizer.state_dict()["state"]
    tensors = {}
    for name, value in ((f"{index}.{key}", value) for index, values in state.items() for key, value in values.items()):
        kind = type(value).__name__
        if isinstance(value, Tensor):
            tensors[name] = value
        elif kind in NUMBERS:
            tensors[f"{name}:{kind}"] = torch.tensor([] if value is None else value, dtype=NUMBERS[kind])
        else:
            keeper = f"optimizer {type(optimizer).__name__} keeps {name.partition('.')[2]!r}, a {kind}"
            raise UserError(f"{keeper}, which checkpoints cannot hold; they hold tensors and numbers.")
    return tensors


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Take back what `optimizer_tensors` gave; rates stay those of the optimizer."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for name, value in tensors.items():
        index, _, key = name.partition(".")
        key, number, kind = key.partition(":")
        known = None if kind == "NoneType" else value.item() if number else match_layout(value, parameters[int(index)])
        state.setdefault(int(index), {})[key] = known
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def match_layout(value: Tensor, parameter: Tensor) -> Tensor:
    """A parameter's state as the parameter lies in memory, which a fused optimizer asks for; never the file's memory.

    What is mapped from a file keeps that file open, and Windows does not remove one that is.
    """
    if value.shape != parameter.shape:
        return value.clone()
    return torch.empty_like(parameter, dtype=value.dtype, device=value.device, requires_grad=False).copy_(value)
