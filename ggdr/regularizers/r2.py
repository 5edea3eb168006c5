"""R2, the same penalty on the generator's images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import Tensor
from ggdr.ops.gradient import input_gradient
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers


@regularizers.register("r2", paper="1801.04406")
@dataclass(frozen=True, kw_only=True)
class R2(Regularizer):
    """R2 penalty: half the squared gradient of D's logits with respect to fakes (Mescheder et al. 2018, eq. 10)."""

    every: int = 16
    """run at each N-th step, N times as strong (lazy regularization)"""
    requires: ClassVar = frozenset({Capability.FAKE_GRAD})
    float32: ClassVar = True
    reads_logits: ClassVar = True

    def d_loss(self, duel: Duel) -> Tensor:
        return input_gradient(duel.on_fake.logits, duel.fake.image).square().sum((1, 2, 3)).mean() / 2
