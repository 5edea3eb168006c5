"""The gradient penalty of DRAGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from ggdr.lazy import Tensor, torch
from ggdr.ops.gradient import input_gradient
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.ranges import LogUniform
from ggdr.registry import Capability, regularizers


@regularizers.register("dragan", paper="1705.07215")
@dataclass(frozen=True, kw_only=True)
class DRAGAN(Regularizer):
    """Gradient penalty of DRAGAN: slope 1 in a neighbourhood of the reals alone (Kodali et al. 2017, eq. 4)."""

    weight: Annotated[float, LogUniform(0.1, 100, paper="1711.10337")] = 10.0
    """lambda"""
    radius: float = 0.5
    """size of the neighbourhood, in standard deviations of the batch's pixels"""
    float32: ClassVar = True
    reads_logits: ClassVar = True
    provides: ClassVar = frozenset({Capability.SLOPE})

    def d_loss(self, duel: Duel) -> Tensor:
        noise = self.radius * duel.real.std() * torch.rand_like(duel.real)
        near = (duel.real + noise * torch.rand(len(noise), 1, 1, 1, device=noise.device)).detach().requires_grad_()
        slope = input_gradient(duel.judge(near).logits, near).flatten(1).norm(dim=1)
        return (slope - 1).square().mean()
