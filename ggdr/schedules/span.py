"""What goes from one number to another within a span of images: the schedules `linear` and `cosine`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from ggdr.errors import UserError, above_zero, not_negative, setting
from ggdr.schedules.base import Schedule, shown
from ggdr.schedules.intervals import ramp


@dataclass(frozen=True, kw_only=True)
class Span(Schedule):
    """From `start` to `end` within a span; write `share`, its shape."""

    end: float = 0.0
    """the number that it comes to, and stays at"""
    kimg: float | None = None
    """thousands of reals from `start` to `end`, above 0; None: all that the run has after the hold"""
    hold_kimg: float | None = 0.0
    """thousands of reals, from the first on, for which it stays at `start`; None: until `kimg` before the run's end"""

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "kimg")
        not_negative(self, "hold_kimg")
        self.check_finite("end", "kimg", "hold_kimg")

    def share(self, passed: float) -> float:
        """How far it has come, 0 to 1, where `passed` of the span, 0 to 1, has passed; 0 at 0, 1 at 1."""
        raise NotImplementedError

    def value(self, kimg: float) -> float:
        hold, span = self.times()
        share = self.share(ramp(kimg, hold, span))
        return (1 - share) * self.begun() + share * self.end  # exact at both ends

    def times(self) -> tuple[float, float]:
        """Hold and span, thousands of reals, once they are known: after `resolve`."""
        assert self.hold_kimg is not None and self.kimg is not None
        return self.hold_kimg, self.kimg

    def resolve(self, total_kimg: float) -> Self:
        """The schedule with hold and span set for a run of `total_kimg`; UserError if they do not fit into it."""
        super().resolve(total_kimg)
        if self.kimg is None and self.hold_kimg is None:
            raise UserError(f"{setting('kimg')} and {setting('hold_kimg')} are both None; give one of them a number.")
        hold = total_kimg - (self.kimg or 0.0) if self.hold_kimg is None else self.hold_kimg
        span = total_kimg - hold if self.kimg is None else self.kimg
        if hold < 0 or span <= 0:
            given = "kimg" if self.hold_kimg is None else "hold_kimg"
            raise UserError(
                f"{setting(given)} is {vars(self)[given]:g}, and the run is {total_kimg:g} kimg long; give less, such"
                f" as {total_kimg / 2:g}."
            )
        return replace(self, hold_kimg=hold, kimg=span)

    def reached(self) -> tuple[float, ...]:
        return (*super().reached(), self.end)

    def course(self, form: str) -> str:
        span = "the rest of the run" if self.kimg is None else f"{self.kimg:,.10g} kimg"
        first = f", held for {self.hold_kimg:,.10g} kimg," if self.hold_kimg else ""
        return f"{super().course(form)}{first} to {shown(self.end, form)} over {span}"
