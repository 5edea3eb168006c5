"""What every schedule is: a number as a function of the images seen, and nothing else, so that it resumes exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from ggdr.errors import UserError, not_negative, setting
from ggdr.registry import Part, schedules
from ggdr.schedules.intervals import ramp


@dataclass(frozen=True, kw_only=True)
class Schedule(Part):
    """A number that moves with the images seen; write `value`, and `reached` where it leaves `start`."""

    registry = schedules
    start: float | None = None
    """the number that it begins with; on the command line, as long as it is not given, the number that was there"""
    warmup_kimg: float = 0.0
    """a factor of it rises from 0 to 1 over the run's first thousands of reals, as many as this; 0: none does"""

    def __post_init__(self) -> None:
        not_negative(self, "warmup_kimg")
        self.check_finite("start", "warmup_kimg")

    def check_finite(self, *fields: str) -> None:
        """UserError if one of the fields is NaN or infinite; None passes."""
        for field in fields:
            value = vars(self)[field]
            if value is not None and not math.isfinite(value):
                raise UserError(f"{setting(field)} is {value}; give a finite number.")

    def at(self, kimg: float) -> float:
        """The number after `kimg` thousand reals, from 0; of the settings alone, whatever came before."""
        return ramp(kimg, 0.0, self.warmup_kimg) * self.value(kimg)

    def value(self, kimg: float) -> float:
        """The number after `kimg` thousand reals, without the warm-up."""
        raise NotImplementedError

    def resolve(self, total_kimg: float) -> Self:
        """The schedule with nothing left open, for a run of `total_kimg` thousand reals; UserError if it cannot be."""
        if self.start is None:
            raise UserError(f"{setting('start')} is None; give the number that the {self.name!r} schedule begins with.")
        return self

    def reached(self) -> tuple[float, ...]:
        """The least and the greatest number that it takes, in any order, as far as they are known."""
        begins = () if self.start is None else (self.start,)
        return (0.0, *begins) if self.warmup_kimg else begins

    def begun(self) -> float:
        """`start`, once it is known: after `resolve`."""
        assert self.start is not None
        return self.start

    def __format__(self, form: str) -> str:
        """It in words, its numbers as `form` says: `f"{value:g}"` is right for a number and for a schedule."""
        warmup = f" after a warm-up over {self.warmup_kimg:g} kimg" if self.warmup_kimg else ""
        return f"{self.course(form or 'g')}{warmup}"

    def course(self, form: str) -> str:
        """Its course without the warm-up, in words, numbers as `form` says."""
        return f"{self.name} from {shown(self.start, form)}"

    def __str__(self) -> str:
        return format(self)


Scheduled = float | Schedule
"""a setting that is a number, and stays, or a schedule: `lr: Scheduled = 0.002`"""


def shown(value: float | None, form: str) -> str:
    """A number as `form` says; a question mark for one that is not known yet."""
    return "?" if value is None else f"{value:{form}}"


def value_at(setting: Scheduled, kimg: float) -> float:
    """What a setting is after `kimg` thousand reals."""
    return setting.at(kimg) if isinstance(setting, Schedule) else setting


def reached(setting: Scheduled | None) -> tuple[float, ...]:
    """The least and the greatest number that a setting takes, as far as they are known; none of None."""
    if isinstance(setting, Schedule):
        return setting.reached()
    return () if setting is None else (setting,)
