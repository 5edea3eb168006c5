"""The inverse square root."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from ggdr.errors import UserError, above_zero, setting
from ggdr.registry import schedules
from ggdr.schedules.base import Schedule


@schedules.register("inverse_sqrt", paper="2312.02696")
@dataclass(frozen=True, kw_only=True)
class InverseSqrt(Schedule):
    """`start` until `kimg`, then start / sqrt(images seen / kimg), without an end (EDM2, Karras et al. 2024)."""

    kimg: float | None = None
    """thousands of reals after which it begins to fall, above 0; it must be given"""

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "kimg")
        self.check_finite("kimg")

    def value(self, kimg: float) -> float:
        assert self.kimg is not None
        return self.begun() / math.sqrt(max(kimg / self.kimg, 1.0))

    def resolve(self, total_kimg: float) -> Self:
        if self.kimg is None:
            raise UserError(f"{setting('kimg')} is None; give the thousands of reals after which it begins to fall.")
        return super().resolve(total_kimg)

    def reached(self) -> tuple[float, ...]:
        return (0.0, *super().reached())

    def course(self, form: str) -> str:
        return f"{super().course(form)}, falling from {'?' if self.kimg is None else f'{self.kimg:,.10g}'} kimg on"
