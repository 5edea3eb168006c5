"""The inverse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ggdr.errors import UserError, above_zero, setting
from ggdr.registry import schedules
from ggdr.schedules.base import Schedule


@schedules.register("inverse", paper="1703.06868")
@dataclass(frozen=True, kw_only=True)
class Inverse(Schedule):
    """`start` / (1 + images seen / kimg), without an end, half at `kimg`, as AdaIN's program has it (arXiv 1703.06868).

    A rate that is divided by 1 + d t at step t, with batches of B, has kimg B / (1000 d).
    """

    kimg: float | None = None
    """thousands of reals after which the value is half of the start, above 0; it must be given"""

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "kimg")
        self.check_finite("kimg")

    def value(self, kimg: float) -> float:
        assert self.kimg is not None
        return self.begun() / (1 + kimg / self.kimg)

    def resolve(self, total_kimg: float) -> Self:
        if self.kimg is None:
            raise UserError(f"{setting('kimg')} is None; give the thousands of reals after which the value is half.")
        return super().resolve(total_kimg)

    def reached(self) -> tuple[float, ...]:
        return (0.0, *super().reached())

    def course(self, form: str) -> str:
        return f"{super().course(form)}, half after {'?' if self.kimg is None else f'{self.kimg:,.10g}'} kimg"
