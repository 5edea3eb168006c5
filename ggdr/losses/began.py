"""The loss of BEGAN, whose equilibrium a controller keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from ggdr.errors import UserError, above_zero
from ggdr.lazy import Tensor, torch
from ggdr.play.duel import Duel
from ggdr.play.term import Loss, State
from ggdr.ranges import LogUniform, Uniform
from ggdr.registry import Capability, losses


@losses.register("began", paper="1703.10717")
@dataclass(frozen=True, kw_only=True)
class BEGAN(Loss):
    """Boundary equilibrium loss: fakes' reconstruction errors are gamma times the reals' (Berthelot et al. 2017).

    Minus the logit is the error L, as the discriminator `autoencoder` has it. It leaves the global measure of
    convergence (sec. 3.4) in the log, as `convergence`.
    """

    gamma: Annotated[float, Uniform(0, 1, paper="1711.10337")] = 0.5
    """diversity ratio L(fake) / L(real) to steer for, 0 to 1; low: D cares for reals more, and fakes vary less"""
    lambda_k: Annotated[float, LogUniform(1e-4, 1e-2, paper="1711.10337")] = 0.001
    """rate of the controller, per step"""
    requires: ClassVar = frozenset({Capability.ENERGY})
    undecided: ClassVar = None
    ranks: ClassVar = False  # at its equilibrium fakes have gamma times the reals' error, so the higher logits

    def __post_init__(self) -> None:
        above_zero(self, "gamma", "lambda_k")
        if self.gamma > 1:
            raise UserError(f"gamma is {self.gamma}; give a ratio above 0, at most 1.")

    def start(self, device: torch.device) -> State:
        """Begin with k = 0: D learns from reals alone."""
        return {"k": torch.zeros([], device=device)}

    def d_loss(self, duel: Duel) -> Tensor:
        real, fake = -duel.on_real.logits.mean(), -duel.on_fake.logits.mean()
        duel.notes["convergence"] = (real + (self.gamma * real - fake).abs()).detach()
        return real - self.state["k"] * fake

    def g_loss(self, duel: Duel) -> Tensor:
        return -duel.on_fake.logits.mean()

    def after_step(self, stats: Mapping[str, Tensor]) -> State:
        """Move `k` by how far fakes are from gamma times the reals' error, within [0, 1] (sec. 3.4).

        Unlike the paper: the fakes' error is that of D's turn, where the reals' is measured too, not that of G's.
        """
        if "logits/real" not in stats or "logits/fake" not in stats:
            return {}
        balance = stats["logits/fake"] - self.gamma * stats["logits/real"]
        return {"k": (self.state["k"] + self.lambda_k * balance).clamp(0, 1)}
