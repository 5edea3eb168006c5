"""Fréchet inception distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError, setting
from ggdr.features.base import Extractor
from ggdr.features.inception import Inception
from ggdr.lazy import Tensor, torch
from ggdr.metrics.base import FeatureMetric, Numbers
from ggdr.registry import metrics

if TYPE_CHECKING:
    from ggdr.metrics.data import EvalData


@metrics.register("fid", paper="1706.08500")
@dataclass(frozen=True, kw_only=True)
class FID(FeatureMetric):
    """Fréchet distance of two Gaussians fitted to the features, lower is better (Heusel et al. 2017, eq. 6).

    The literature takes 50,000 generated images and all real ones, by `images` and `reals`; fewer raise its value.
    """

    extractor: Extractor = Inception()
    """feature extractor that turns images into features"""
    reliable_images: ClassVar = 2048
    covariance: ClassVar = True
    against: ClassVar = frozenset({"images", "statistics"})

    def numbers(self, data: EvalData) -> Numbers:
        """Return how many images it looks at: no real ones if their statistics are given."""
        found = super().numbers(data)
        return found if data.statistics is None else found._replace(real=0)

    def prepare(self, data: EvalData) -> None:
        """Load the extractor; UserError if that fails, or given statistics are of another number of features."""
        super().prepare(data)
        given = data.statistics
        if given is not None and len(given.mean) != (width := data.fake.width(self.extractor)):
            raise UserError(
                f"{self.name}: the statistics are of {len(given.mean):,} features, and {self.extractor.name} gives"
                f" {width:,}; take the extractor that made them by {setting('extractor')}, or other statistics."
            )

    def measure(self, data: EvalData) -> dict[str, float]:
        if (given := data.statistics) is None:
            return super().measure(data)
        fake = data.fake.features(self.extractor, self.numbers(data).fake)
        fake = self.check_features(fake, fake)[0].cpu()
        return {"distance": frechet_distance_to(given.mean, given.covariance, fake)}

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        real, fake = self.check_features(real, fake)
        return {"distance": frechet_distance(real, fake)}


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Return |mean a - mean b|^2 + tr(A + B - 2 (A B)^1/2) of rows a [N, D], b [M, D], float64; A, B: covariances.

    With A = P'P and B = Q'Q the trace of the root is the sum of the singular values of P Q': no root of a product
    that is singular whenever there are fewer images than features, or features that never vary.
    """
    p, q = covariance_factor(a), covariance_factor(b)
    apart = (a.mean(dim=0) - b.mean(dim=0)).square().sum()
    overlap = torch.linalg.svdvals(p @ q.T).sum()
    return max(0.0, float(apart + p.square().sum() + q.square().sum() - 2 * overlap))


def frechet_distance_to(mean: Tensor, covariance: Tensor, rows: Tensor) -> float:
    """Return the Fréchet distance of a Gaussian, mean [D] and covariance [D, D], to rows [N, D], all float64.

    With B = Q'Q the trace of the root of A B is that of Q A Q', which is symmetric.
    """
    q = covariance_factor(rows)
    apart = (mean - rows.mean(dim=0)).square().sum()
    overlap = torch.linalg.eigvalsh(q @ covariance @ q.T).clamp(min=0).sqrt().sum()
    return max(0.0, float(apart + covariance.trace() + q.square().sum() - 2 * overlap))


def covariance_factor(rows: Tensor) -> Tensor:
    """Return P [min(N, D), D] such that P'P is the unbiased covariance of rows [N, D]."""
    return torch.linalg.qr(rows - rows.mean(dim=0), mode="r").R / (len(rows) - 1) ** 0.5
