"""Half a cosine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ggdr.registry import schedules
from ggdr.schedules.span import Span


@schedules.register("cosine", paper="1608.03983")
@dataclass(frozen=True, kw_only=True)
class Cosine(Span):
    """Half a cosine from `start` to `end` over `kimg`, constant before and after (Loshchilov & Hutter 2017, eq. 5)."""

    def share(self, passed: float) -> float:
        return (1 - math.cos(math.pi * passed)) / 2
