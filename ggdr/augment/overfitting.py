"""How much D overfits, by the signs of its logits of reals: it steers an adaptive augmentation (2006.06676, sec. 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ggdr.lazy import Tensor, torch
from ggdr.play.term import State


class Signs(NamedTuple):
    """What some steps have shown of D's signs."""

    state: State
    """what to keep until the next step: sums, which are zero again after an interval"""
    mean: Tensor
    """scalar in [-1, 1], the mean sign of D's logits of reals since the last interval ended; NaN if a step's was"""
    images: Tensor
    """scalar, reals since then"""
    due: bool
    """whether an interval ends with this step"""

    def step(self, target: float, speed_kimg: float) -> Tensor:
        """The share of its range, positive or negative, by which a strength is to move after these images."""
        return (self.mean - target).sign().nan_to_num() * self.images / (speed_kimg * 1000)


def start(device: torch.device) -> State:
    """The state before the first step."""
    sums = {name: torch.zeros((), device=device) for name in ("signs", "images")}
    return sums | {"steps": torch.zeros((), dtype=torch.int64)}  # on the CPU: reading it waits for nothing


def watch(state: State, stats: Mapping[str, Tensor], interval: int) -> Signs:
    """Take a step's statistics in, of D's turn; an interval is this many steps."""
    steps = state["steps"] + 1
    signs, images = state["signs"] + stats["signs/real"] * stats["images"], state["images"] + stats["images"]
    due, nothing = int(steps) % interval == 0, torch.zeros_like(signs)
    kept = {"signs": nothing, "images": nothing.clone()} if due else {"signs": signs, "images": images}
    return Signs({"steps": steps, **kept}, signs / images, images, due)
