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


@cache
def tensors(file: str) -> dict[str, torch.Tensor]:
    return load_file(FOLDER / f"{file}.safetensors")


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
