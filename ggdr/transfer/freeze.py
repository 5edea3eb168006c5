"""Freeze-D: D's first layers stay as an earlier training left them (Mo et al. 2020, arXiv 2002.10964)."""

from __future__ import annotations

from collections.abc import Mapping

from ggdr.errors import UserError
from ggdr.formatting import significant
from ggdr.networks.base.module import Discriminator


def check_stages(networks: Mapping[str, Discriminator], stages: int) -> None:
    """Raise UserError if a network has fewer stages than are to be frozen, or none would be left to learn."""
    for name, network in networks.items():
        there = len(network.stages())
        if stages and stages >= there:
            last = f"has {there} blocks, the last of which must learn: give --freeze-d 0 to {there - 1}"
            none = "has no blocks that can be frozen: set --freeze-d 0"
            raise UserError(f"freeze_d is {stages}; {name} {network.config.name!r} {last if there > 1 else none}.")


def freeze(network: Discriminator, stages: int) -> list[str]:
    """Stop the gradient of a network's first stages from here on; return the names of their parameters."""
    frozen = {id(parameter) for stage in network.stages()[:stages] for parameter in stage.parameters()}
    names = []
    for name, parameter in network.named_parameters():
        if id(parameter) in frozen:
            parameter.requires_grad_(False)
            names.append(name)
    return names


def describe_frozen(name: str, network: Discriminator, stages: int, frozen: list[str], taken: set[str] | None) -> str:
    """Describe in a line what is frozen; `taken`: parameters with weights from elsewhere, None if all have."""
    sizes = {key: parameter.numel() for key, parameter in network.named_parameters()}
    still, whole = sum(sizes[key] for key in frozen) / 1e6, sum(sizes.values()) / 1e6
    blocks = f"{stages} of {len(network.stages())} blocks of {name}"
    drawn = [key for key in frozen if taken is not None and key not in taken]
    random = f"; {len(drawn)} of {len(frozen)} tensors in them are random, {drawn[0]} first" if drawn else ""
    return f"freeze_d: {blocks} stay as they are, {significant(still, 3)} of {significant(whole, 3)} M weights{random}"
