"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ggdr.changes import MayChange
from ggdr.errors import UserError, not_negative
from ggdr.lazy import torch
from ggdr.play.optimizer import Optimizer
from ggdr.registry import optimizers
from ggdr.schedules.base import Scheduled


@optimizers.register("sgd")
@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum; torch's, not corrected for lazy phases."""

    lr: MayChange[Scheduled] = 0.01
    """learning rate"""
    momentum: float = 0.9
    """share of the last update's direction that stays, 0 to 1"""
    nesterov: bool = False
    """look ahead by the momentum"""
    weight_decay: float = 0.0
    """this much of each weight is added to its gradient, 0 or more"""

    def __post_init__(self) -> None:
        super().__post_init__()
        not_negative(self, "weight_decay")
        if not 0 <= self.momentum < 1 or (self.nesterov and not self.momentum):
            raise UserError(f"momentum is {self.momentum}; give a number from 0 to below 1, above 0 for nesterov=True.")

    def make(self, parameters: Sequence[torch.nn.Parameter]) -> torch.optim.Optimizer:
        # Not torch's fused kernel: where its first step is skipped on the device, it keeps a momentum that nobody set.
        return torch.optim.SGD(
            parameters, lr=0.0, momentum=self.momentum, nesterov=self.nesterov, weight_decay=self.weight_decay
        )

    def describe(self) -> str:
        return f"SGD, rate {self.lr:g}, momentum {self.momentum:g}"
