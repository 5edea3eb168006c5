"""No schedule but for a warm-up."""

from __future__ import annotations

from dataclasses import dataclass

from ggdr.registry import schedules
from ggdr.schedules.base import Schedule, shown


@schedules.register("constant")
@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """One number throughout, as a plain number is; here it may have a warm-up."""

    def value(self, kimg: float) -> float:
        return self.begun()

    def course(self, form: str) -> str:
        return shown(self.start, form)
