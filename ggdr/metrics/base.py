"""What every metric is: settings, and numbers from the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.registry import Part, metrics

if TYPE_CHECKING:
    from ggdr.evidence import Evidence


@dataclass(frozen=True, kw_only=True)
class Metric(Part):
    """Compares generated images with real ones. A field `extractor` holds the features it reads, if it reads any."""

    registry = metrics

    images: int = 2048
    """how many real and how many generated images it looks at"""
    least: ClassVar[int] = 2
    """fewer images than that make its value meaningless"""
    better: ClassVar[str] = "lower"
    """which way its values improve: "lower" or "higher" """
    needs: ClassVar[frozenset[str]] = frozenset()
    """"generator": it walks in the latent space, so a folder of images is not enough"""

    def measure(self, evidence: Evidence) -> dict[str, float]:
        """Numbers by name, the same on every process; the same images give the same numbers."""
        raise NotImplementedError
