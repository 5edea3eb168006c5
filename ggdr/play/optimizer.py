"""What every optimizer of a player is: settings from which one of torch.optim's, or of one's own, is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from ggdr.changes import MayChange
from ggdr.errors import UserError, above_zero, setting
from ggdr.lazy import torch
from ggdr.ranges import LogUniform
from ggdr.registry import Part, optimizers
from ggdr.schedules.base import Schedule, Scheduled, reached, value_at


@dataclass(frozen=True, kw_only=True)
class Optimizer(Part):
    """Settings of a player's optimizer; write `make`, and `hyperparameters` where more than the rate is scheduled.

    An optimizer with betas is corrected for lazy phases, as StyleGAN2 does: each adds 1/N of an update a step, so rate
    and decays shrink to keep their pace (arXiv 1912.04958, appendix B: c = N / (N + 1) for one lazy phase). One without
    betas is not, and the run says so.
    """

    registry = optimizers
    lr: Annotated[MayChange[Scheduled], LogUniform(1e-5, 1e-2, paper="1711.10337")] = 0.0025
    """learning rate"""
    clip_norm: MayChange[float | None] = None
    """gradients are scaled down together where the norm of all the player's gradients is above this; None: never"""
    clip_value: MayChange[float | None] = None
    """each entry of a gradient is cut to minus and plus this, before `clip_norm`; None: never"""
    skips_on_device: ClassVar[bool] = False
    """whether it stands still where its `found_inf`, a scalar on the device, is not 0, as torch's fused Adam does; for
    another one the host looks whether gradients are finite, and waits for the device at each update"""

    def __post_init__(self) -> None:
        above_zero(self, "clip_norm", "clip_value", *(() if isinstance(self.lr, Schedule) else ("lr",)))
        if not all(rate >= 0 for rate in reached(self.lr)):
            raise UserError(f"{setting('lr')} is {self.lr}; give one that is never below 0.")

    def make(self, parameters: Sequence[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """The optimizer of these parameters, which are its one group; what `hyperparameters` gives is set later."""
        raise NotImplementedError

    def hyperparameters(self, kimg: float) -> dict[str, Any]:
        """Entries of the parameter group, as torch calls them, after `kimg` thousand reals, without any correction."""
        return {"lr": value_at(self.lr, kimg)}

    def at(self, kimg: float, lazy: Sequence[int]) -> dict[str, Any]:
        """Entries of the group after `kimg` thousand reals, of a player with lazy phases at these intervals."""
        found = self.hyperparameters(kimg)
        if "betas" in found:
            c = 1 / (1 + sum(1 / every for every in lazy))
            found |= {"lr": found["lr"] * c, "betas": tuple(float(beta**c) for beta in found["betas"])}
        return found

    def build(self, parameters: Sequence[torch.nn.Parameter], lazy: Sequence[int]) -> torch.optim.Optimizer:
        """The optimizer of a player with lazy phases at these intervals, as it is before the first update."""
        optimizer = self.make(parameters)
        optimizer.param_groups[0].update(self.at(0.0, lazy))
        return optimizer

    def corrected(self) -> bool:
        """Whether lazy phases are corrected for: it has betas."""
        return "betas" in self.hyperparameters(0.0)

    def describe(self) -> str:
        """What it is set to, in words, for model cards."""
        return f"{self.name}, rate {self.lr:g}"
