"""RMSProp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ggdr.changes import MayChange
from ggdr.errors import UserError, above_zero, not_negative
from ggdr.lazy import torch
from ggdr.play.optimizer import Optimizer
from ggdr.registry import optimizers
from ggdr.schedules.base import Scheduled


@optimizers.register("rmsprop")
@dataclass(frozen=True, kw_only=True)
class RMSProp(Optimizer):
    """RMSProp (Hinton's lecture 6e, 2012), as WGAN trains with; torch's, not corrected for lazy phases."""

    lr: MayChange[Scheduled] = 0.00005
    """learning rate; the default is WGAN's (arXiv 1701.07875, algorithm 1)"""
    alpha: float = 0.99
    """decay of the mean squared gradient, 0 to 1"""
    eps: float = 1e-8
    """added to the root of the mean squared gradient"""
    momentum: float = 0.0
    """share of the last update that stays, 0 to 1"""
    weight_decay: float = 0.0
    """this much of each weight is added to its gradient, 0 or more"""

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "eps")
        not_negative(self, "weight_decay")
        if not all(0 <= decay < 1 for decay in (self.alpha, self.momentum)):
            raise UserError(f"alpha is {self.alpha}, momentum {self.momentum}; give numbers from 0 to below 1.")

    def make(self, parameters: Sequence[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(
            parameters, alpha=self.alpha, eps=self.eps, momentum=self.momentum, weight_decay=self.weight_decay
        )

    def describe(self) -> str:
        return f"RMSProp, rate {self.lr:g}, alpha {self.alpha:g}, momentum {self.momentum:g}"
