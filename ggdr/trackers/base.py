"""What every tracker is: settings, and the four things that the journal tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ggdr.registry import Part, trackers

if TYPE_CHECKING:
    import numpy as np


@dataclass(kw_only=True)
class Tracker(Part):
    """Receives the run's numbers and pictures, on the main process only."""

    registry = trackers

    def start(self, out: Path, config: dict[str, str | int | float], step: int = 0) -> None:
        """Open the run whose folder is `out`; what follows comes after `step`, whatever was tracked of it before.

        UserError if the tracker's package is missing.
        """
        raise NotImplementedError

    def log(self, stats: dict[str, float], kimg: float, step: int) -> None:
        """Record finite numbers, by name, after `kimg` thousand real images."""
        raise NotImplementedError

    def images(self, name: str, image: np.ndarray, step: int) -> None:
        """Record one picture, uint8 [H, W, 3 or 4]."""
        raise NotImplementedError

    def close(self) -> None:
        """Write what is still held back, and let go of the tracker's files and connections."""
        raise NotImplementedError
