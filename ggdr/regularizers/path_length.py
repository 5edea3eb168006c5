"""Path length regularization, which smooths the way from style codes to images."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import Tensor, torch
from ggdr.ops.gradient import input_gradient
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer, State
from ggdr.registry import Capability, regularizers


@regularizers.register("path_length", paper="1912.04958")
@dataclass(frozen=True, kw_only=True)
class PathLength(Regularizer):
    """Path length penalty: a step in w moves the image by a constant amount (Karras et al. 2020, eq. 4)."""

    weight: float = 2.0
    """factor of the penalty"""
    every: int = 4
    """run at each N-th step, N times as strong (lazy regularization)"""
    decay: float = 0.01
    """rate at which the running mean of the length follows, per update, 0 to 1"""
    shrink: int = 2
    """the penalty runs on the N-th part of the micro-batch, to save memory"""
    requires: ClassVar = frozenset({Capability.WS})
    float32: ClassVar = True

    def start(self, device: torch.device) -> State:
        return {"mean": torch.zeros([], device=device)}

    def g_loss(self, duel: Duel) -> Tensor:
        fake = duel.sample(max(1, len(duel.reals) // self.shrink))
        assert fake.ws is not None
        direction = self.direction(fake.image)
        lengths = input_gradient((fake.image * direction).sum(), fake.ws).square().sum(2).mean(1).sqrt()
        duel.notes["path_length"] = lengths.mean().detach()
        return (lengths - self.state["mean"].lerp(lengths.mean(), self.decay)).square().mean()

    def direction(self, image: Tensor) -> Tensor:
        """A random direction in the space of images [N, C, H, W], of variance 1 / (H W)."""
        return torch.randn_like(image) / math.sqrt(image[0, 0].numel())

    def after_step(self, stats: Mapping[str, Tensor]) -> State:
        if "path_length" not in stats:  # not due at this step
            return {}
        return {"mean": self.state["mean"].lerp(stats["path_length"], self.decay)}
