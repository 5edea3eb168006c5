"""Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ggdr.lazy import torch
from ggdr.optimizers.adam import Adam
from ggdr.registry import optimizers


@optimizers.register("adamw", paper="1711.05101")
@dataclass(frozen=True, kw_only=True)
class AdamW(Adam):
    """AdamW (Loshchilov & Hutter 2019): Adam whose weights decay by themselves, not by way of the gradient."""

    weight_decay: float = 0.01
    """share of each weight that an update at a learning rate of 1 would take away, 0 or more"""

    def make(self, parameters: Sequence[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, eps=self.eps, weight_decay=self.weight_decay, fused=True)
