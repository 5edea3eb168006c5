"""Steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ggdr.errors import UserError, not_negative, setting
from ggdr.registry import schedules
from ggdr.schedules.base import Schedule


@schedules.register("steps")
@dataclass(frozen=True, kw_only=True)
class Steps(Schedule):
    """Times `factor` at each of the milestones, constant between them: what torch calls MultiStepLR."""

    factor: float = 0.1
    """factor at each milestone, 0 or more"""
    milestones_kimg: tuple[float, ...] = ()
    """thousands of reals after which it steps, each more than the one before"""

    def __post_init__(self) -> None:
        super().__post_init__()
        not_negative(self, "factor")
        self.check_finite("factor")
        pairs = zip((0.0, *self.milestones_kimg), self.milestones_kimg, strict=False)
        if not all(before < milestone for before, milestone in pairs):
            raise UserError(
                f"{setting('milestones_kimg')} is {self.milestones_kimg}; give numbers above 0, each more than the one"
                " before."
            )

    def value(self, kimg: float) -> float:
        return self.begun() * self.factor ** sum(kimg >= milestone for milestone in self.milestones_kimg)

    def resolve(self, total_kimg: float) -> Self:
        if not self.milestones_kimg:
            raise UserError(f"{setting('milestones_kimg')} is empty; give the kimg at which it steps, such as 10000.")
        return super().resolve(total_kimg)

    def reached(self) -> tuple[float, ...]:
        last = () if self.start is None else (self.start * self.factor ** len(self.milestones_kimg),)
        return (*super().reached(), *last)

    def course(self, form: str) -> str:
        at = ", ".join(f"{milestone:,.10g}" for milestone in self.milestones_kimg)
        return f"{super().course(form)} times {self.factor:g} at {at} kimg"
