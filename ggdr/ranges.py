"""Ranges of hyperparameters, declared where the setting is, from which `ggdr sweep` draws."""

from __future__ import annotations

import math
from typing import Any

from ggdr.errors import UserError

DIGITS = 4
"""significant digits of a number that is drawn, so that its flag is short and exact"""
WRITTEN = "log:LOW:HIGH, uniform:LOW:HIGH or choice:A:B:..."


class Range:
    """What values of a setting are drawn from: `lr: Annotated[float, LogUniform(1e-5, 1e-2)] = 0.001`.

    A value that the range could not have drawn, such as 0 on a logarithmic scale, was chosen on purpose and stays.
    """

    paper = ""
    """arXiv number of the study that drew from it; empty where there is none"""

    def __contains__(self, value: Any) -> bool:
        """Whether the range may draw such a value."""
        raise NotImplementedError

    def draw(self, chance: float, whole: bool = False) -> Any:
        """The value at `chance`, a number from 0 to below 1; `whole`: a whole number, of those from end to end."""
        raise NotImplementedError


class Interval(Range):
    """All numbers from `low` to `high`."""

    kind = ""
    """how it is written on a command line"""

    def __init__(self, low: float, high: float, *, paper: str = ""):
        """`paper`: where it is from. UserError unless `low` is below `high`, and both are finite."""
        if not (low < high and math.isfinite(high - low)):
            raise UserError(f"a range goes from {low:g} to {high:g}; give two finite numbers, the lower one first.")
        self.low, self.high, self.paper = low, high, paper

    def __str__(self) -> str:
        return f"{self.kind}:{self.low:g}:{self.high:g}"

    def __contains__(self, value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high

    def draw(self, chance: float, whole: bool = False) -> float:
        """A number with four significant digits, rounded down, so that the upper end is never drawn."""
        if whole:
            return min(math.floor(self.at(chance, self.high + 1)), math.floor(self.high))
        return max(rounded_down(self.at(chance, self.high)), self.low)

    def at(self, chance: float, high: float) -> float:
        """The number at a share of the way from `low` to `high`."""
        raise NotImplementedError


class Uniform(Interval):
    """All numbers from `low` to `high` alike."""

    kind = "uniform"

    def at(self, chance: float, high: float) -> float:
        return self.low + chance * (high - self.low)


class LogUniform(Interval):
    """All orders of magnitude from `low`, above 0, to `high` alike."""

    kind = "log"

    def __init__(self, low: float, high: float, *, paper: str = ""):
        """`paper`: where it is from. UserError unless 0 is below `low`, and `low` below `high`."""
        if low <= 0:
            raise UserError(f"a logarithmic range begins at {low:g}; give a number above 0.")
        super().__init__(low, high, paper=paper)

    def at(self, chance: float, high: float) -> float:
        return self.low * (high / self.low) ** chance


class Choice(Range):
    """One of several values, all alike: numbers, words, True and False."""

    def __init__(self, *options: Any, paper: str = ""):
        """`paper`: where it is from. UserError if there is no option."""
        if not options:
            raise UserError("a choice has no options; give at least one.")
        self.options, self.paper = options, paper

    def __str__(self) -> str:
        return ":".join(["choice", *map(str, self.options)])

    def __contains__(self, value: Any) -> bool:
        return any(value == option and isinstance(value, bool) == isinstance(option, bool) for option in self.options)

    def draw(self, chance: float, whole: bool = False) -> Any:
        return self.options[int(chance * len(self.options))]


def rounded_down(value: float) -> float:
    """A number cut, towards minus infinity, to its first significant digits."""
    if value == 0:
        return 0.0
    place = DIGITS - 1 - math.floor(math.log10(abs(value)))
    return float(f"{math.floor(value * 10.0**place)}e{-place}")


def read_range(text: str) -> Range:
    """The range that is written as "log:1e-5:1e-2", "uniform:0:1" or "choice:1:5"; UserError if it is none."""
    kind, *words = text.split(":")
    values = [value_of(word) for word in words]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if kind == "choice" and words:
        return Choice(*values)
    for interval in (LogUniform, Uniform):
        if kind == interval.kind and len(numbers) == len(words) == 2:
            return interval(*numbers)
    raise UserError(f"{text!r} is no range; write {WRITTEN}.")


def value_of(word: str) -> Any:
    """A word of a command line as the number, or the yes or no, that it is; else as it is."""
    if word in ("True", "False"):
        return word == "True"
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
