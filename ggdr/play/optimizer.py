"""The optimizer of both players, built in one place: lazy regularization asks for a correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ggdr.changes import MayChange
from ggdr.errors import UserError, above_zero, not_negative
from ggdr.lazy import torch
from ggdr.play.schedule import ramp


@dataclass(frozen=True, kw_only=True)
class Adam:
    """Adam (Kingma & Ba, arXiv 1412.6980), with the correction that lazy regularization asks for."""

    lr: MayChange[float] = 0.0025
    """learning rate"""
    beta1: float = 0.0
    """decay of the mean gradient, 0 to 1"""
    beta2: float = 0.99
    """decay of the mean squared gradient, 0 to 1"""
    eps: float = 1e-8
    """added to the root of the mean squared gradient"""
    warmup_kimg: MayChange[float] = 0.0
    """the learning rate rises from 0 over this many thousand reals"""
    max_grad_norm: MayChange[float | None] = None
    """gradients are scaled down together where the norm of all the player's gradients is above this; None: never"""

    def __post_init__(self) -> None:
        above_zero(self, "lr", "eps", "max_grad_norm")
        not_negative(self, "beta1", "beta2", "warmup_kimg")
        if max(self.beta1, self.beta2) >= 1:
            raise UserError(f"beta1 is {self.beta1}, beta2 {self.beta2}; give numbers from 0 to below 1.")

    def schedule(self, kimg: float) -> float:
        """Factor of the learning rate, 0 to 1, after `kimg` thousand reals: it rises over the warm-up."""
        return ramp(kimg, 0.0, self.warmup_kimg)

    def build(self, parameters: Sequence[torch.nn.Parameter], lazy: Sequence[int]) -> torch.optim.Adam:
        """The optimizer of a player with lazy phases at these intervals.

        Each lazy phase adds 1/N of an update a step, so rate and decays shrink to keep their pace
        (StyleGAN2, arXiv 1912.04958, appendix B: c = N / (N + 1) for one lazy phase).
        """
        c = 1 / (1 + sum(1 / every for every in lazy))
        betas = (float(self.beta1**c), float(self.beta2**c))
        return torch.optim.Adam(parameters, lr=self.lr * c, betas=betas, eps=self.eps, fused=True)
