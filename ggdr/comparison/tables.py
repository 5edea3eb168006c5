"""Tables of what a comparison found: one for each metric, as Markdown and LaTeX, and all numbers as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ggdr.comparison.report import Number, best, difference, final, leaves_zero_out, with_margin
from ggdr.evaluation.result import MetricValue
from ggdr.formatting import significant
from ggdr.hub.markdown import markdown_table

PLAIN, MANY = 0.01, 1e5
"""largest mean of a metric between which its table needs no power of ten"""
SPECIAL = str.maketrans({letter: rf"\{letter}" for letter in "&%$#_{}"})
"""what LaTeX reads as more than itself"""
Pace = Mapping[str, float | None]
"""arm -> seconds for a thousand images"""


class Row(NamedTuple):
    """What a metric found of one arm."""

    arm: str
    final: MetricValue
    best: MetricValue
    difference: MetricValue | None
    """to the first arm; None of that itself"""
    seeds: int
    pace: float | None


def rows(number: Number, seconds: Pace) -> Iterator[Row]:
    """A row for each arm."""
    base = number.curves[0]
    for curve in number.curves:
        gap = None if curve is base else difference(curve, base)
        yield Row(curve.arm, final(curve), best(curve, number.better), gap, len(curve.values), seconds[curve.arm])


def exponent(values: Iterable[float]) -> int:
    """The power of ten, a multiple of 3, that all values of a table are told in, by the largest of these."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return 0 if largest == 0 or PLAIN <= largest < MANY else 3 * math.floor(math.log10(largest) / 3)


def scaled(value: MetricValue, power: int) -> MetricValue:
    """The value in units of 10^power."""
    return MetricValue([each / 10.0**power for each in value.repeats])


def heads(number: Number) -> list[str]:
    """The first line of a metric's table."""
    base = number.curves[0]
    return ["arm", f"at {base.kimg[-1]:g} kimg", "best of the run", f"difference to {base.arm}", "seeds", "s per kimg"]


def markdown(numbers: Sequence[Number], seconds: Pace) -> str:
    """A table for each metric; a difference is bold where its interval leaves zero out."""
    return "\n\n".join(markdown_of(number, seconds) for number in numbers)


def markdown_of(number: Number, seconds: Pace) -> str:
    """One metric's table below a line that names it, and the power of ten of its values."""
    power = power_of(number)
    unit = f" in 10^{power}" if power else ""
    lines = []
    for row in rows(number, seconds):
        gap = "" if row.difference is None else with_margin(scaled(row.difference, power), "+")
        gap = f"**{gap}**" if leaves_zero_out(row.difference) else gap
        lines.append(
            [row.arm, *(with_margin(scaled(value, power)) for value in (row.final, row.best)), gap, *tail(row)]
        )
    return f"{number.label}{unit} ({number.better} is better)\n\n{markdown_table(heads(number), lines)}"


def power_of(number: Number) -> int:
    """The power of ten that all values of a metric's table are told in."""
    return exponent(final(curve).mean for curve in number.curves)


def tail(row: Row) -> list[str]:
    """The number of seeds, and the pace."""
    return [str(row.seeds), pace_cell(row.pace)]


def pace_cell(pace: float | None) -> str:
    """Seconds for a thousand images; empty where nobody knows."""
    return "" if pace is None else significant(pace, 3)


def latex(numbers: Sequence[Number], seconds: Pace) -> str:
    r"""A tabular for each metric, for \usepackage{booktabs}."""
    return "\n".join(latex_of(number, seconds) for number in numbers)


def latex_of(number: Number, seconds: Pace) -> str:
    """One metric's tabular; a difference is bold where its interval leaves zero out."""
    power = power_of(number)
    label = escaped(f"{number.label} ({number.better} is better)") + (f", in $10^{{{power}}}$" if power else "")
    lines = []
    for row in rows(number, seconds):
        cells = [escaped(row.arm), *(formula(scaled(value, power)) for value in (row.final, row.best))]
        gap = "" if row.difference is None else formula(scaled(row.difference, power), "+")
        cells.append(rf"\boldmath{gap}" if leaves_zero_out(row.difference) else gap)
        lines.append([*cells, *tail(row)])
    return tabular(label, [escaped(head) for head in heads(number)], lines)


def tabular(label: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A tabular whose first column is words and whose others are numbers, all of them LaTeX already, below a label."""
    lines = [rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}", r"\toprule"]
    lines += [rf"\multicolumn{{{len(heads)}}}{{l}}{{{label}}} \\", r"\midrule"]
    lines += [" & ".join(heads) + r" \\", r"\midrule", *(" & ".join(row) + r" \\" for row in rows)]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def escaped(text: str) -> str:
    """Plain text as LaTeX reads it."""
    return text.translate(SPECIAL)


def formula(value: MetricValue, sign: str = "") -> str:
    """A mean and half its interval, in LaTeX."""
    return f"${with_margin(value, sign)}$".replace("±", r"\pm")


def as_csv(numbers: Sequence[Number], seconds: Pace) -> str:
    """A line for each metric and arm, every number in full and in its own unit; empty where there is none."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    values = ("final", "best", "difference")
    named = [name for value in values for name in (value, f"{value}_half_interval")]
    writer.writerow(["metric", "better", "arm", "kimg", *named, "seeds", "s_per_kimg"])
    for number in numbers:
        for row in rows(number, seconds):
            found = [value for each in (row.final, row.best, row.difference) for value in both(each)]
            head = [number.label, number.better, row.arm, number.curves[0].kimg[-1]]
            writer.writerow([*head, *found, row.seeds, "" if row.pace is None else row.pace])
    return file.getvalue()


def both(value: MetricValue | None) -> tuple[float | str, float | str]:
    """A mean and half its interval; empty where there is none."""
    if value is None:
        return "", ""
    return value.mean, "" if value.margin is None else value.margin
