"""A run on disk: what a checkpoint of it holds, and how it goes on from one that its recipe and images fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ggdr import __version__
from ggdr.changes import may_change
from ggdr.errors import UserError
from ggdr.ops.device import device_name
from ggdr.recipe.files import differences, fill_defaults, to_json, to_python
from ggdr.saving import checkpoint
from ggdr.saving.model import describe
from ggdr.training.content import NAME, changes, document

if TYPE_CHECKING:
    from ggdr.training.run import Run


def save_run(run: Run, unhealthy: Sequence[str] = ()) -> Path:
    """Write a checkpoint and drop old ones; to be called by one process. `unhealthy`: why it is no good one."""
    tensors = {name: network.state_dict() for name, network in run.networks.named().items()}
    tensors |= {f"{name}_ema": network.state_dict() for name, network in run.ema.mean.items()}
    tensors |= {f"optimizer_{t}": checkpoint.optimizer_tensors(p.optimizer) for t, p in run.players.items()}
    state = {name: part.state_dict() for name, part in run.adaptive.items()}
    tensors["parts"] = {f"{name}/{key}": value for name, part in state.items() for key, value in part.items()}
    state = {name: callback.state_dict() for name, callback in run.callbacks.items()}
    if kept := {f"{name}/{key}": value for name, part in state.items() for key, value in part.items()}:
        tensors["callbacks"] = kept
    progress = {
        "step": run.step,
        "images_seen": run.images_seen,
        "rollbacks": run.rollbacks,
        "unhealthy": [*unhealthy],
    }
    progress |= {"ggdr": __version__, "torch": torch.__version__, "threads": torch.get_num_threads()}
    progress |= {"device": device_name(run.device), "processes": run.processes, "images": run.images.originals}
    progress |= {"domains": [*run.domains]}
    content = run.content
    if content.items:
        tensors[NAME] = content.items
    documents = {
        f"{NAME}.json": document(content),
        "progress.json": progress,
        "networks.json": {name: describe(network) for name, network in run.networks.named().items()},
        "recipe.json": to_json(run.recipe),
        "recipe.py": to_python(run.recipe),
    }
    written = checkpoint.write_checkpoint(run.out, run.step, tensors, documents)
    checkpoint.prune(run.out, run.recipe.keep_checkpoints)
    return written


def load_run(run: Run, folder: Path, allow_changes: bool = False) -> list[str]:
    """Take back what `write_checkpoint` wrote; return what the recipe changed. UserError if it is another run's.

    `allow_changes`: take back what fits, also where the promise of an exact continuation is broken.
    """
    before = checkpoint.read_json(folder, "recipe.json")
    changed = differences(fill_defaults(before), to_json(run.recipe))
    frozen = before.get("freeze_d", 0)
    if frozen != run.recipe.freeze_d:  # the optimizer's states go by place, and would shift
        raise UserError(
            f"{folder} was made with freeze_d {frozen}, not {run.recipe.freeze_d}; choose another --out, with"
            f" --init-from {run.out} to start from these weights."
        )
    fixed = [line for name, line in changed.items() if not may_change(run.recipe, name.split("."))]
    otherwise = f"choose another --out (--init-from {run.out} starts it from these weights)"
    if fixed and not allow_changes:
        raise UserError(
            f"{folder} was made by another recipe: {'; '.join(fixed)}; {otherwise}, or add --allow-changes to go on"
            " all the same."
        )
    images = changes(folder, run.content)
    if strange := unlike(run, folder):
        raise UserError(f"{folder} was made for other images: {'; '.join([*strange, *images])}; {otherwise}.")
    if images and not allow_changes:
        raise UserError(
            f"the images have changed since {folder}: {'; '.join(images)}; put them back, {otherwise}, or add"
            " --allow-changes to go on with these."
        )
    progress = checkpoint.read_progress(folder)
    names = [*run.networks.named(), *(f"{name}_ema" for name in run.ema.mean), "parts"]
    tensors = {
        name: checkpoint.load_tensors(folder, name) for name in (*names, *(f"optimizer_{t}" for t in run.players))
    }
    try:
        take(run, tensors)
    except (RuntimeError, ValueError) as error:
        why = "; ".join(fixed) or str(error).splitlines()[-1].strip().rstrip(".")
        raise UserError(f"{folder} was made by another recipe: {why}; choose another --out.") from error
    if (folder / "callbacks.safetensors").is_file():
        load_callbacks(run, checkpoint.load_tensors(folder, "callbacks"))
    run.step, run.images_seen = progress["step"], progress["images_seen"]
    run.slow_down(progress.get("rollbacks", 0))
    return [*changed.values(), *images]


def unlike(run: Run, folder: Path) -> list[str]:
    """Say how the images of a checkpoint's networks differ from these, where the networks cannot take these."""
    units = {"height": "px high", "width": "px wide", "channels": "channels", "labels": "labels"}
    before, found = checkpoint.read_json(folder, "networks.json"), []
    for name, network in run.networks.named().items():
        now = network.spec._asdict()
        was = {**now, **before.get(name, {}).get("spec", {})}
        found += [f"{was[k]} {unit} before, {now[k]} now" for k, unit in units.items() if was[k] != now[k]]
    return [*dict.fromkeys(found)]


def take(run: Run, tensors: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Take back networks, means, optimizers and the state of parts, by the names of their files."""
    for name, network in run.networks.named().items():
        network.load_state_dict(tensors[name])
    for name, network in run.ema.mean.items():
        network.load_state_dict(tensors[f"{name}_ema"])
    for turn, player in run.players.items():
        checkpoint.load_optimizer(player.optimizer, tensors[f"optimizer_{turn}"])
    for name, part in run.adaptive.items():
        head = f"{name}/"
        own = {key.removeprefix(head): v.clone() for key, v in tensors["parts"].items() if key.startswith(head)}
        part.load_state_dict(own)  # copies: the file is to be closed


def load_callbacks(run: Run, state: Mapping[str, Tensor]) -> None:
    """Take back what callbacks keep; of one that the run has no more, nothing."""
    for name, callback in run.callbacks.items():
        head = f"{name}/"
        if own := {key.removeprefix(head): v.clone() for key, v in state.items() if key.startswith(head)}:
            callback.load_state_dict(own)
