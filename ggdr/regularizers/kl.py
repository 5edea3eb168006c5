"""KL divergence: codes that an encoder finds are distributed as those that are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import Tensor
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("kl", paper="1903.07291")
@dataclass(frozen=True, kw_only=True)
class KLDivergence(Regularizer):
    """KL divergence of an encoder's codes from N(0, 1), which codes are drawn from later (Park et al. 2019, app. A).

    An encoder that says no variance counts as one of variance 1. Of a generator that draws codes about its labels it is
    StackGAN's (Zhang et al. 2017, eq. 2), which takes the mean over numbers, twice: 2 over their count is its weight.
    """

    weight: Scheduled = 0.05
    """factor of the divergence, a sum over the code's numbers and a mean over images"""
    requires: ClassVar = frozenset({Capability.POSTERIOR})

    def g_loss(self, duel: Duel) -> Tensor:
        mean, log_variance = duel.posterior
        squares = mean.square()
        spread = 0.0 if log_variance is None else log_variance.exp() - 1 - log_variance
        return (squares + spread).sum(dim=1).mean() / 2
