"""R1, the gradient penalty that keeps most GANs stable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from ggdr.formatting import significant
from ggdr.lazy import Tensor
from ggdr.networks.base import ImageSpec
from ggdr.ops.gradient import input_gradient
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("r1", paper="1801.04406")
@dataclass(frozen=True, kw_only=True)
class R1(Regularizer):
    """R1 penalty: half the squared gradient of D's logits with respect to reals (Mescheder et al. 2018, eq. 9)."""

    weight: Scheduled | None = None  # type: ignore[assignment]
    """gamma; None: 0.0002 * height * width / batch, the rule of thumb of StyleGAN2-ADA (arXiv 2006.06676)"""
    every: int = 16
    """run at each N-th step, N times as strong (lazy regularization)"""
    requires: ClassVar = frozenset({Capability.REAL_GRAD})
    float32: ClassVar = True
    reads_logits: ClassVar = True

    def resolve(self, spec: ImageSpec, batch_size: int) -> tuple[Self, str]:
        if self.weight is not None:
            return self, ""
        weight = 0.0002 * spec.height * spec.width / batch_size
        rule = f"0.0002 * {spec.height} * {spec.width} px / batch of {batch_size}"
        return replace(self, weight=weight), f"weight (gamma) {significant(weight)} = {rule}"

    def d_loss(self, duel: Duel) -> Tensor:
        return input_gradient(duel.on_real.logits, duel.real).square().sum((1, 2, 3)).mean() / 2
