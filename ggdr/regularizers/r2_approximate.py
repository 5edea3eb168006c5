"""R2 by a finite difference, the same penalty on the generator's images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.errors import above_zero
from ggdr.lazy import Tensor
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.regularizers.r1_approximate import check_share, squared_slope


@regularizers.register("r2_approximate", paper="2506.09350")
@dataclass(frozen=True, kw_only=True)
class R2Approximate(Regularizer):
    """R2 without a second derivative: D must say much the same of fakes with a little noise (Lin et al. 2025b).

    As `sigma` goes to 0 its mean over noise is that of `r2`, and the weight is R2's gamma; see `r1_approximate`.
    """

    sigma: float = 0.01
    """standard deviation of the noise, where images are in [-1, 1]; in bfloat16 0.1, or rounding outweighs the slope"""
    share: float = 1.0
    """part of a micro-batch that is compared, its first images, above 0, at most 1"""
    requires: ClassVar = frozenset({Capability.REPLAY})
    reads_logits: ClassVar = True

    def __post_init__(self) -> None:
        above_zero(self, "sigma")
        check_share(self.share)

    def d_loss(self, duel: Duel) -> Tensor:
        fake = duel.fake
        return squared_slope(duel, fake.image, duel.on_fake, self.sigma, self.share, fake.scales, fake.intermediates)
