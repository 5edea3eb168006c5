"""The gradient penalty of WGAN-GP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from ggdr.lazy import Tensor, torch
from ggdr.ops.gradient import input_gradient
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.ranges import LogUniform
from ggdr.registry import Capability, regularizers


@regularizers.register("wgan_gp", paper="1704.00028")
@dataclass(frozen=True, kw_only=True)
class WGANGP(Regularizer):
    """Gradient penalty of WGAN-GP: slope 1 on the straight lines from reals to fakes (Gulrajani et al. 2017, eq. 3)."""

    weight: Annotated[float, LogUniform(0.1, 100, paper="1711.10337")] = 10.0
    """lambda; with the loss `wasserstein` set its clip to 0"""
    target: float = 1.0
    """slope that the critic is drawn to"""
    float32: ClassVar = True
    reads_logits: ClassVar = True
    provides: ClassVar = frozenset({Capability.SLOPE})

    def d_loss(self, duel: Duel) -> Tensor:
        t = torch.rand(len(duel.real), 1, 1, 1, device=duel.real.device)
        between = duel.real.lerp(duel.fake.image, t).detach().requires_grad_()
        slope = input_gradient(duel.judge(between).logits, between).flatten(1).norm(dim=1)
        return (slope - self.target).square().mean()
