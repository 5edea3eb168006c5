"""Kernel inception distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.errors import UserError, above_zero, setting
from ggdr.features.base import Extractor
from ggdr.features.inception import Inception
from ggdr.lazy import Tensor, torch
from ggdr.metrics.base import FeatureMetric
from ggdr.registry import metrics
from ggdr.seeding import word

BLOCK = 2**22
"""number of the kernel's values in memory at a time"""


@metrics.register("kid", paper="1801.01401")
@dataclass(frozen=True, kw_only=True)
class KID(FeatureMetric):
    """Squared maximum mean discrepancy under a cubic kernel, lower is better (Binkowski et al. 2018, sec. 3).

    Unbiased for any number of images, so it may fall below 0 where the two sets are alike. `mean` and `std` are over
    subsets, drawn as torch-fidelity draws them; no `std` of one subset, or where each holds all images of a kind.
    """

    extractor: Extractor = Inception()
    """feature extractor that turns images into features"""
    subsets: int = 100
    """number of subsets over which the mean is taken"""
    subset: int = 1000
    """number of images of each kind in a subset, or all if there are fewer"""
    seed: int = 2020
    """seed of the subsets"""
    reliable_images: ClassVar = 100

    def __post_init__(self) -> None:
        above_zero(self, "subsets")
        if self.subset < 2:
            raise UserError(f"kid compares pairs: {setting('subset')} is {self.subset}; give 2 or more images.")

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Return `mean` and `std` over subsets of the features real [N, D] and fake [M, D]."""
        real, fake = self.check_features(real, fake)
        size = min(self.subset, len(real), len(fake))
        of_fake, of_real = self.draw(len(fake), len(real), size)
        of_fake, of_real = of_fake.to(fake), of_real.to(real)
        within = own_sums(real, of_real) + own_sums(fake, of_fake)
        across = kernel_sums(real, fake, of_real, of_fake)
        found = within / (size * (size - 1)) - 2 * across / size**2
        if self.subsets == 1 or size == min(len(real), len(fake)):
            return {"mean": float(found.mean())}
        return {"mean": float(found.mean()), "std": float(found.std(correction=0))}

    def draw(self, fakes: int, reals: int, size: int) -> tuple[Tensor, Tensor]:
        """Draw which fakes [subsets, fakes] and which reals [subsets, reals] are in each subset: 0 or 1."""
        import numpy as np

        rng = np.random.RandomState(word(self.seed))
        chosen = torch.zeros(self.subsets, fakes), torch.zeros(self.subsets, reals)
        for subset in range(self.subsets):
            for picked in chosen:
                places = rng.choice(picked.shape[1], size, replace=False)
                picked[subset, torch.from_numpy(places)] = 1
        return chosen


def kernel(a: Tensor, b: Tensor) -> Tensor:
    """Return the cubic kernel (a b' / D + 1)^3 of rows a [N, D] and b [M, D]: [N, M]."""
    base = torch.addmm(torch.ones([], dtype=a.dtype, device=a.device), a, b.T, alpha=1 / a.shape[1])
    return base.square().mul_(base)


def kernel_sums(a: Tensor, b: Tensor, of_a: Tensor, of_b: Tensor) -> Tensor:
    """Sum the kernel over each subset's pairs of rows a [N, D] and b [M, D], in one pass: [S].

    `of_a` [S, N] and `of_b` [S, M] say which rows are in a subset.
    """
    block = max(1, BLOCK // len(b))
    parts = [
        (picked @ kernel(rows, b) * of_b).sum(dim=1)
        for rows, picked in zip(a.split(block), of_a.split(block, dim=1), strict=True)
    ]
    return torch.stack(parts).sum(dim=0)


def own_sums(rows: Tensor, chosen: Tensor) -> Tensor:
    """Sum the kernel over each subset's pairs of different rows [N, D]: [S]."""
    alone = (rows.square().mean(dim=1) + 1) ** 3
    return kernel_sums(rows, rows, chosen, chosen) - chosen @ alone
