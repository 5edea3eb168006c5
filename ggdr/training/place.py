"""Where a run lies: whether its folder is to be had and has room, and what that means for the images."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from torch import Tensor
from torch.nn import Module

from ggdr.data.base import DataSet
from ggdr.errors import UserError, setting
from ggdr.folders import MARK, RUN, check_run, is_run, other_entries, some_of
from ggdr.formatting import significant
from ggdr.play.callback import DiskUse
from ggdr.training.run import Run


def check_place(out: Path, data: DataSet) -> None:
    """UserError if a run in the folder `out` would replace what no run wrote, or hide images from the data set."""
    check_run(out)
    images = theirs(out) if inside(out, data) and not is_run(out) else None
    if images:
        raise UserError(
            f"{out} lies in the folder of the images and holds some, such as {images.name!r}, which would be taken for"
            " the run's; give another --out."
        )
    if names := others(out, data):
        raise UserError(
            f"{out} is no run's folder and holds {some_of(names)}; give the folder of a run that is to go on, or a new"
            f" one: {setting('out')} {out / 'run'}."
        )


def others(out: Path, data: DataSet) -> list[str]:
    """What lies in a folder and is no run's, if no run has written to it and it is not that of the images."""
    if (out / "recipe.json").is_file() or any(out.glob("checkpoints/[0-9]*/progress.json")):
        return []
    if (root := data.root()) is not None and root.resolve() == out.resolve():
        return []
    begun = RUN if (out / MARK).is_file() else frozenset()  # a run that was stopped before it wrote its recipe
    return [name for name in other_entries(out) if name not in begun]


def inside(out: Path, data: DataSet) -> bool:
    """Whether a run's folder lies in that of its images, but is another one."""
    return (root := data.root()) is not None and root.resolve() in out.resolve().parents


def theirs(out: Path) -> Path | None:
    """An image in a folder, at any depth; None: there is none."""
    from ggdr.data.reading.file_types import image_endings

    return next((file for file in sorted(out.rglob("*")) if file.suffix.lower() in image_endings()), None)


def told(out: Path, data: DataSet) -> list[str]:
    """What a person should know of a run's folder that lies in that of its images, or is the same."""
    root = data.root()
    if root is not None and (inside(out, data) or root.resolve() == out.resolve()):
        return [f"--out {out} lies in the folder of the images, {root}: what the run writes there is no data"]
    return []


def checkpoint_bytes(run: Run, callbacks: Mapping[str, DiskUse]) -> int:
    """Bytes of a checkpoint, about."""
    networks = [*run.networks.named().values(), *run.ema.mean.values()]
    weights = sum(size(tensor) for network in networks for tensor in network.state_dict().values())
    moments = sum(2 * size(weight) for player in run.players.values() for weight in trained(player.networks.values()))
    return weights + moments + sum(use.checkpoint for use in callbacks.values())


def trained(networks: Iterable[Module]) -> Iterator[Tensor]:
    """The weights that an optimizer has moments of."""
    return (weight for network in networks for weight in network.parameters() if weight.requires_grad)


def size(tensor: Tensor) -> int:
    """Bytes of a tensor."""
    return tensor.numel() * tensor.element_size()


def check_room(run: Run, callbacks: Mapping[str, DiskUse]) -> str:
    """A sentence if the disk may not hold what the run will write, nothing if it will; UserError if it is hopeless.

    Counted are checkpoints (`keep`, one that is being written, the best), the model, and what callbacks say that they
    write: grids, snapshots of means; the log is small.
    """
    one, files = checkpoint_bytes(run, callbacks), {name: use.files for name, use in callbacks.items() if use.files}
    folders = (run.out / name for name in ("checkpoints", "model"))
    there = sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())
    checkpoints = max((run.recipe.keep_checkpoints + 2 + bool(run.recipe.keep_best)) * one - there, one)
    wanted = checkpoints + sum(files.values())
    free = shutil.disk_usage(run.out).free
    text = f"{run.out} has {megabytes(free)} MB free, and"
    if free < one:
        raise UserError(
            f"{text} one checkpoint takes {megabytes(one)} MB; make room, or give a folder on another disk by --out."
        )
    if free < wanted:
        longer = " or ".join(interval(run, name) for name in files)
        return (
            f"WARNING: {text} this run needs about {megabytes(wanted)} MB ({in_words(one, files)}); make room, lower"
            f" --keep-checkpoints{f', or write at longer intervals by {longer}' if files else ''}."
        )
    return ""


def in_words(checkpoint: int, files: Mapping[str, int]) -> str:
    """What goes to the disk: bytes of a checkpoint, and of all that callbacks are still to write, by name."""
    rest = ", ".join(f"{name} {megabytes(count)} MB" for name, count in files.items())
    return f"a checkpoint {megabytes(checkpoint)} MB{f'; by the end {rest}' if rest else ''}"


def interval(run: Run, callback: str) -> str:
    """The flag of a callback's interval."""
    name = callback.replace("_", "-")
    return f"--callbacks.{name}.every-kimg" if callback in run.recipe.callbacks else f"--{name.rstrip('s')}-kimg"


def megabytes(count: int) -> str:
    """Bytes as a number of MB, to three digits."""
    return significant(count / 1e6, 3)
