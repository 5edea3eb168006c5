"""Golden vectors of published networks of several players, and their weights by our names."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import torch
from places import OWN_GOLDEN
from safetensors.torch import load_file

from ggdr.foreign.translators import renamed

FOLDER = Path(os.environ.get("GGDR_GOLDEN_GAMES", OWN_GOLDEN / "games"))


OWN = OWN_GOLDEN / "games"


@cache
def tensors(file: str) -> dict[str, torch.Tensor]:
    return load_file(folder_of(file) / f"{file}.safetensors")


@cache
def folder_of(file: str) -> Path:
    """Where these vectors lie: where the variable says, unless they cannot be used there; else the committed ones."""
    there = FOLDER / f"{file}.safetensors"
    return FOLDER if there.is_file() and begins(load_file(there)) else OWN


def begins(found: dict[str, torch.Tensor]) -> bool:
    """Whether they say how networks began: weights in `init/` that were noted too late are those in `final/`."""
    first = {name.removeprefix("init/"): value for name, value in found.items() if name.startswith("init/")}
    return not first or any(not torch.equal(v, found.get(f"final/{name}", v + 1)) for name, v in first.items())


def below(file: str, prefix: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors(file).items() if key.startswith(prefix)}


def published(path: str, network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """What lies below FILE/PREFIX, under the names that our network has for it."""
    file, prefix = path.split("/", 1)
    return renamed(below(file, prefix), network.state_dict())


def close(ours: torch.Tensor, theirs: torch.Tensor, tolerance: float) -> None:
    assert (ours - theirs).abs().max() <= tolerance * theirs.abs().max()


def close_gradients(network: torch.nn.Module, wanted: dict[str, torch.Tensor]) -> None:
    """Within 1e-4 of the largest: those of biases before a normalization are nothing but rounding."""
    largest = max(value.abs().max() for value in wanted.values())
    found = dict(network.named_parameters())
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert (found[name].grad - value).abs().max() <= 1e-4 * largest, name
