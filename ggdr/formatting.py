"""Numbers as people read them: significant digits, no exponent where plain digits do, errors that match."""

from __future__ import annotations

import math

SMALL, LARGE = 1e-4, 1e12
"""sizes between which a number is written without an exponent"""
COLOURS = {1: "gray", 3: "RGB", 4: "RGBA"}
"""channels -> what such images are called"""


def significant(value: float, digits: int = 4, sign: str = "") -> str:
    """A number with `digits` significant digits, all digits before its point, and no zeros at its end.

    `sign`: "+" to write that of a positive number too.
    """
    if not math.isfinite(value) or value == 0 or not SMALL <= abs(value) < LARGE:
        return f"{value:{sign}.{digits}g}"
    text = decimals(value, max(places(value, digits), 0), sign)
    return text.rstrip("0").rstrip(".") if "." in text else text


def colours(channels: int) -> str:
    """What images are called by their number of channels: "RGB", "5 channels"."""
    return COLOURS.get(channels, f"{channels} channels")


def format_with_error(value: float, error: float, sign: str = "") -> str:
    """A value and its error, "3.3 ± 3.1": the error with two significant digits, both to the same decimal place."""
    if not math.isfinite(error) or not SMALL <= error < LARGE:
        return f"{significant(value, sign=sign)} ± {significant(error, 2)}"
    place = places(error, 2)
    return f"{decimals(value, place, sign)} ± {decimals(error, place)}"


def format_interval(low: float, high: float) -> str:
    """Both ends, "1.711 .. 1.822", to the same decimal place, at which their distance has three digits."""
    if not math.isfinite(high - low) or not SMALL <= high - low < LARGE:
        return f"{significant(low)} .. {significant(high)}"
    place = max(places(high - low, 3), 0)
    return f"{decimals(low, place)} .. {decimals(high, place)}"


def places(value: float, digits: int) -> int:
    """The decimal place of the last of a number's significant digits: 1 for tenths, -1 for tens."""
    return digits - 1 - int(f"{value:.{digits - 1}e}".partition("e")[2])


def decimals(value: float, place: int, sign: str = "") -> str:
    """A number rounded to a decimal place, without an exponent."""
    return f"{round(value, place):{sign}.{max(place, 0)}f}" if math.isfinite(value) else f"{value:{sign}g}"
