"""Tiny runs in this process, and what of them must be the same."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import tiny
import torch

from ggdr.lazy import Tensor
from ggdr.saving import checkpoint
from ggdr.train import train_loop
from ggdr.training.trainer import Trainer


def trained(out: Path, kind: type[Trainer] = Trainer, **changes):
    run = tiny.tiny_run(dataclasses.replace(tiny.recipe, **changes), out)
    with kind(run) as trainer:
        train_loop(trainer)
    return run


def files(out: Path) -> dict[str, bytes]:
    newest = checkpoint.latest(out)
    return {path.name: path.read_bytes() for path in newest.glob("*.safetensors")}


def rows(out: Path) -> list[dict]:
    """The log without its clocks."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [
        {key: v for key, v in row.items() if key not in ("seconds", "images_per_second", "memory_gb")} for row in lines
    ]


def weights(run) -> dict[str, Tensor]:
    """Everything that must be the same: networks, means, optimizers, parts."""
    found = {f"{name}.{key}": v for name, net in run.networks.named().items() for key, v in net.state_dict().items()}
    found |= {f"ema.{key}": v for net in run.ema.mean.values() for key, v in net.state_dict().items()}
    found |= {f"{name}.{key}": v for name, part in run.adaptive.items() for key, v in part.state_dict().items()}
    for turn, player in run.players.items():
        found |= {f"{turn}.{key}": v for key, v in checkpoint.optimizer_tensors(player.optimizer).items()}
    return found


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> None:
    """Assert equality, bit for bit."""
    assert a.keys() == b.keys()
    assert not [key for key in a if not torch.equal(a[key], b[key])]
