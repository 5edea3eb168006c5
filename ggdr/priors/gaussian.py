"""The normal distribution."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.errors import above_zero
from ggdr.lazy import Tensor
from ggdr.priors.base import Prior
from ggdr.registry import priors


@priors.register("gaussian", paper="1511.05644")
@dataclass(frozen=True, kw_only=True)
class Gaussian(Prior):
    """Independent normal numbers with mean 0 (Makhzani et al. 2015, sec. 2.1), the same for every label."""

    std: float = 1.0
    """standard deviation of each number; 5 in the paper for MNIST's images (appendix A)"""

    def __post_init__(self) -> None:
        above_zero(self, "std")

    def codes(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        return noise * self.std
