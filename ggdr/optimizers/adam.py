"""Adam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from ggdr.errors import UserError, above_zero, not_negative
from ggdr.lazy import torch
from ggdr.play.optimizer import Optimizer
from ggdr.ranges import Uniform
from ggdr.registry import optimizers
from ggdr.schedules.base import Scheduled, reached, value_at


@optimizers.register("adam", paper="1412.6980")
@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """Adam (Kingma & Ba 2015), corrected for lazy phases, by torch's fused kernel."""

    beta1: Annotated[float, Uniform(0, 1, paper="1711.10337")] = 0.0
    """decay of the mean gradient, 0 to 1"""
    beta2: Scheduled = 0.99
    """decay of the mean squared gradient, 0 to 1"""
    eps: float = 1e-8
    """added to the root of the mean squared gradient"""
    weight_decay: float = 0.0
    """this much of each weight is added to its gradient, 0 or more"""
    skips_on_device: ClassVar = True

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "eps")
        not_negative(self, "weight_decay")
        if not all(0 <= beta < 1 for beta in (self.beta1, *reached(self.beta2))):
            raise UserError(f"beta1 is {self.beta1}, beta2 {self.beta2}; give numbers from 0 to below 1.")

    def make(self, parameters: Sequence[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, eps=self.eps, weight_decay=self.weight_decay, fused=True)

    def hyperparameters(self, kimg: float) -> dict[str, Any]:
        return super().hyperparameters(kimg) | {"betas": (self.beta1, value_at(self.beta2, kimg))}

    def describe(self) -> str:
        decay = f", weight decay {self.weight_decay:g}" if self.weight_decay else ""
        return f"{type(self).__name__}, rate {self.lr:g}, betas {self.beta1:g} and {self.beta2:g}{decay}"
