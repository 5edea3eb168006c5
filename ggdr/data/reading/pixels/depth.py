"""Values of any depth as 8 bits: which values become 0 and 255, and what that leaves of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ggdr.errors import UserError, setting
from ggdr.formatting import significant

Range = tuple[float, float]
"""the values that become 0 and 255"""
LEAST_LEVELS = 64
"""values, of 256, that images must use at least; fewer are told"""
MOST_CLIPPED = 0.01
"""share of the values that may lie outside of the range; more are told"""
MOST_SAMPLED = 512
"""values of a deep image that are kept to tell quantiles"""
QUANTILES = (0.001, 0.999)
"""the quantiles that are told: a few hot pixels do not move them"""


def default_range(dtype: np.dtype) -> Range:
    """What images of a kind of number hold as a rule: 0 to 1 if bool or float, 0 to 255 if bytes, else 0 to 65535."""
    if dtype.kind in "bf":
        return (0.0, 1.0)
    return (0.0, 255.0) if dtype == np.uint8 else (0.0, 65535.0)


def to_bytes(values: np.ndarray, chosen: Range | None) -> np.ndarray:
    """Values as uint8, rounded, those outside of the range cut off; UserError if some are NaN."""
    low, high = chosen or default_range(values.dtype)
    if values.dtype == np.uint8 and (low, high) == (0, 255):
        return values
    exact = np.dtype(np.float64 if values.dtype.itemsize > 2 and values.dtype != np.float32 else np.float32)
    scaled = (values.astype(exact) - low) * (255 / (high - low))
    if np.isnan(scaled).any():
        raise UserError("some of its pixels are no numbers (NaN)")
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def check_range(chosen: Sequence[float] | None) -> Range | None:
    """The range as two numbers; UserError unless the first is the lower one."""
    if chosen is None:
        return None
    low, high = chosen
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise UserError(
            f"{setting('range')} {low:g} {high:g}: give two numbers, the lower first, as {setting('range')} 0 4095."
        )
    return float(low), float(high)


class ValueSummary(NamedTuple):
    """What the values of images of one kind of number are."""

    dtype: np.dtype
    low: float
    """the least"""
    high: float
    """the greatest"""
    outside: float
    """values that lie outside of what such images hold as a rule"""
    total: int
    """values there are"""
    sample: np.ndarray
    """some of them, evenly taken"""


def summarize_values(array: np.ndarray) -> ValueSummary:
    """What the values of an image are; NaN do not count."""
    low, high = default_range(array.dtype)
    flat = array.reshape(-1)
    finite = flat[np.isfinite(flat)] if array.dtype.kind == "f" else flat
    if not finite.size:
        raise UserError("none of its pixels is a number")
    outside = int(((finite < low) | (finite > high)).sum())
    drawn = finite[: 0 if array.dtype == np.uint8 else None : max(finite.size // MOST_SAMPLED, 1)].astype(np.float64)
    return ValueSummary(array.dtype, float(finite.min()), float(finite.max()), outside, finite.size, drawn)


def merge_by_dtype(each: Iterable[ValueSummary]) -> list[ValueSummary]:
    """The values of many images, a kind of number at a time."""
    kinds: dict[np.dtype, list[ValueSummary]] = {}
    for values in each:
        kinds.setdefault(values.dtype, []).append(values)
    return [merge_values(some) for some in kinds.values()]


def merge_values(some: Sequence[ValueSummary]) -> ValueSummary:
    """The values of images of one kind of number."""
    low, high = min(each.low for each in some), max(each.high for each in some)
    outside, total = sum(each.outside for each in some), sum(each.total for each in some)
    return ValueSummary(some[0].dtype, low, high, outside, total, np.concatenate([each.sample for each in some]))


def describe_values(values: ValueSummary) -> str:
    """The values in one clause: from where to where, and between which quantiles nearly all lie."""
    text = f"{values.dtype} from {six_digits(values.low)} to {six_digits(values.high)}"
    if not values.sample.size:
        return text
    first, last = (six_digits(float(each)) for each in np.quantile(values.sample, QUANTILES, method="nearest"))
    return f"{text}, 99.8 % of them from {first} to {last}"


def describe_loss(values: ValueSummary) -> str:
    """What is lost if images of such values are read without a range; empty: next to nothing."""
    low, high = default_range(values.dtype)
    levels = 1 + round((min(values.high, high) - max(values.low, low)) * 255 / (high - low))
    if is_clipped(values):
        return f"{values.outside / values.total:.0%} of them would be cut off"
    return f"{levels} of 256 levels would be left of them" if values.low < values.high and levels < LEAST_LEVELS else ""


def range_advice(values: ValueSummary, flag: str) -> str:
    """Say it as a sentence, with what to type, by the flag of the range."""
    if not (lost := describe_loss(values)):
        return ""
    low, high = default_range(values.dtype)
    return (
        f"values are {describe_values(values)}, and {values.dtype} images are taken to hold {low:g} to {high:g}:"
        f" {lost}; type {flag} {' '.join(map(six_digits, full_range(values)))}."
    )


def is_clipped(values: ValueSummary) -> bool:
    """Whether more than a few values lie outside of what such images hold as a rule."""
    return values.outside > MOST_CLIPPED * values.total


def full_range(values: ValueSummary) -> Range:
    """The range that keeps all values; of floats in round numbers, at most a hundredth more at each end."""
    if values.dtype.kind != "f" or values.low == values.high:
        return values.low, values.high
    step = 10.0 ** (math.floor(math.log10(values.high - values.low)) - 2)
    low, high = math.floor(values.low / step) * step, math.ceil(values.high / step) * step
    return float(six_digits(low)), float(six_digits(high))


def six_digits(number: float) -> str:
    """A number as people write it, to six digits."""
    return significant(number, 6)
