"""A straight line."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.registry import schedules
from ggdr.schedules.span import Span


@schedules.register("linear")
@dataclass(frozen=True, kw_only=True)
class Linear(Span):
    """A straight line from `start` to `end` over `kimg`, constant before and after: CycleGAN's decay, for one.

    `Linear(start=2e-4, kimg=100, hold_kimg=None)` falls to zero over the last 100 kimg of the run.
    """

    def share(self, passed: float) -> float:
        return passed
