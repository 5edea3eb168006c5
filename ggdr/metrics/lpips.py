"""Perceptual distance from the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggdr.features.base import Extractor
from ggdr.features.lpips import LPIPS
from ggdr.lazy import Tensor, torch
from ggdr.metrics.paired import Compare, PairedMetric
from ggdr.registry import metrics

if TYPE_CHECKING:
    from ggdr.metrics.data import EvalData


@metrics.register("lpips", paper="1801.03924")
@dataclass(frozen=True, kw_only=True)
class PerceptualDistance(PairedMetric):
    """LPIPS between each image and its truth, lower is better (Zhang et al. 2018, eq. 1).

    The squared distance of features: with LPIPS on VGG-16 the published measure, with others another one.
    """

    extractor: Extractor = LPIPS()
    """feature extractor, whose squared distances are the measure"""

    def comparison(self, data: EvalData) -> Compare:
        """Return the function of two batches of images [N, C, H, W] to the squared distance of their features [N]."""
        network, device = data.fake.embedder(self.extractor), data.fake.processes.device

        def compare(a: Tensor, b: Tensor) -> Tensor:
            found = [
                network(one.to(device)).rows - network(other.to(device)).rows
                for one, other in zip(*(each.split(self.extractor.batch_size) for each in (a, b)), strict=True)
            ]
            return torch.cat([difference.float().square().sum(dim=1).cpu() for difference in found])

        return compare
