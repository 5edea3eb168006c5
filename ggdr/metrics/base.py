"""What every metric is: settings, and numbers from a set of real and a set of generated images."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.lazy import Tensor
from ggdr.registry import Part, metrics


@dataclass(frozen=True, kw_only=True)
class Metric(Part):
    """Compares generated images with real ones."""

    registry = metrics

    images: int = 2048
    """how many real and how many generated images it looks at"""

    def measure(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Numbers by name from real and fake [N, C, H, W] uint8; the same images give the same numbers."""
        raise NotImplementedError
