"""Tables of what a sweep found, as Markdown and LaTeX, and every run as CSV."""

from __future__ import annotations

import csv
import io
import math
import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from ggdr.comparison.draws import words_of
from ggdr.comparison.ranks import Middle
from ggdr.comparison.samples import Swept
from ggdr.comparison.sweep_result import Column, Found, budgets, pairs
from ggdr.comparison.tables import Pace, escaped, exponent, pace_cell, tabular
from ggdr.formatting import significant
from ggdr.hub.markdown import inline_code, markdown_table

DIVERGED = "diverged"
SIGNED = re.compile(r"(?<![\w.])[+-]\d[\d.]*")
"""numbers whose sign LaTeX would draw as a hyphen"""


class Table(NamedTuple):
    """A table in plain text."""

    label: str
    """what it shows"""
    power: int
    """power of ten in which its values are told"""
    heads: list[str]
    rows: list[list[str]]


def markdown(numbers: Sequence[Found], arms: Sequence[Swept], seconds: Pace) -> str:
    """All tables: of each number the arms, and the best of k runs; and the settings of the best runs."""
    parts = []
    for number in numbers:
        for table in (all_runs(number, seconds), best_of_k(number)):
            unit = f", in 10^{table.power}" if table.power else ""
            parts += [f"{table.label}{unit}", markdown_table(table.heads, table.rows)]
        parts += [f"The best run of each arm by {number.label}", markdown_table(*best_runs(number, arms))]
    return "\n\n".join([*parts, "What was drawn", markdown_table(*ranges(arms))])


def latex(numbers: Sequence[Found], seconds: Pace) -> str:
    r"""A tabular for each table of numbers, for \usepackage{booktabs}."""
    return "\n".join(latex_of(table) for number in numbers for table in (all_runs(number, seconds), best_of_k(number)))


def latex_of(table: Table) -> str:
    """The table as a tabular."""
    label = escaped(table.label) + (f", in $10^{{{table.power}}}$" if table.power else "")
    rows = [[SIGNED.sub(r"$\g<0>$", escaped(cell)) for cell in row] for row in table.rows]
    return tabular(label, [escaped(head) for head in table.heads], rows)


def power_of(number: Found) -> int:
    """The power of ten that all values of a number's tables are told in."""
    return exponent([column.median().value for column in number.columns])


def label(number: Found, what: str) -> str:
    """What a table shows."""
    return f"{number.label} ({number.better} is better): {what}"


def all_runs(number: Found, seconds: Pace) -> Table:
    """A row for each arm, its variant's numbers beside its own."""
    power, both = power_of(number), number.arms()
    variant = next((other.name.removeprefix(f"{arm.name}+") for arm, other in both if other), "")
    kinds = ["", f" with {variant}"] if variant else [""]
    heads = ["arm", *(f"{what}{kind}" for what in ("best", "median", DIVERGED) for kind in kinds)]
    heads += ["median difference", f"{variant} better"] if variant else []
    rows = []
    for arm, other in both:
        columns = [arm, other] if variant else [arm]
        cells = [of(column, power) for column in columns]
        row = [arm.name, *(cell[i] for i in range(3) for cell in cells)]
        pair = pairs(arm, other)
        row += (
            ([with_interval(pair.median(), power, "+"), f"{pair.better} of {len(pair.gaps)}"] if pair else ["", ""])
            if variant
            else []
        )
        rows.append([*row, pace_cell(seconds[arm.name])])
    return Table(label(number, "all runs"), power, [*heads, "s per kimg"], rows)


def of(column: Column | None, power: int) -> tuple[str, str, str]:
    """Best value, median and number of runs that diverged."""
    if column is None:
        return "", "", ""
    best = column.values[column.best]
    return (
        number_cell(best, power),
        with_interval(column.median(), power),
        f"{len(column.diverged)} of {len(column.values)}",
    )


def best_of_k(number: Found) -> Table:
    """A row for each arm and variant: the expected best of k runs, and its interval."""
    power = power_of(number)
    steps = budgets(max(len(column.values) for column in number.columns))
    rows = [
        [
            column.name,
            *(with_interval(number.best_of(column, k), power) if k <= len(column.values) else "" for k in steps),
        ]
        for column in number.columns
    ]
    heads = ["arm", *(f"best of {k}" if k > 1 else "one run" for k in steps)]
    return Table(label(number, "expected best of k runs"), power, heads, rows)


def number_cell(value: float, power: int, sign: str = "") -> str:
    """A value in units of 10^power; "diverged" where it is infinite."""
    return significant(value / 10.0**power, 3, sign) if math.isfinite(value) else DIVERGED


def with_interval(middle: Middle, power: int, sign: str = "") -> str:
    """A mean or median and its interval in brackets, if it has one."""
    text = number_cell(middle.value, power, sign)
    if middle.interval is None or middle.interval[0] == middle.interval[1]:
        return text
    return f"{text} ({' to '.join(number_cell(end, power, sign) for end in middle.interval)})"


def best_runs(number: Found, arms: Sequence[Swept]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of a table of Markdown: the best run of each arm, and what was drawn for it."""
    by_name = {arm.name: arm for arm in arms}
    rows = []
    for column in number.columns:
        drawn = by_name[column.name].values[column.best]
        rows.append(
            [
                column.name,
                str(column.best),
                number_cell(column.values[column.best], 0),
                inline_code(shlex.join(words_of(drawn))),
            ]
        )
    return ["arm", "sample", number.label, "drawn"], rows


def ranges(arms: Sequence[Swept]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of a table of Markdown: settings that are drawn together, their range, its source, for whom."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for arm in arms:
        names: dict[str, list[str]] = {}
        for setting in arm.settings:
            names.setdefault(setting.name, []).append(setting.path)
        for setting in {setting.name: setting for setting in arm.settings}.values():
            paths = ", ".join(names[setting.name])
            groups.setdefault((paths, str(setting.range), setting.range.paper), []).append(arm.name)
    rows = [
        [
            inline_code(paths),
            inline_code(range_),
            f"arXiv {paper}" if paper else "",
            "all" if len(names) == len(arms) else ", ".join(names),
        ]
        for (paths, range_, paper), names in groups.items()
    ]
    return ["setting", "range", "from", "arms"], rows


def as_csv(numbers: Sequence[Found], arms: Sequence[Swept]) -> str:
    """A line for each run that came to its end or diverged: its values, "inf" where it diverged, and what was drawn."""
    paths = list(dict.fromkeys(setting.path for arm in arms for setting in arm.settings))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["run", "arm", "sample", "seed", *(number.label for number in numbers), *paths])
    for arm in arms:
        columns = [next((c for c in number.columns if c.name == arm.name), None) for number in numbers]
        for sample, (trial, drawn) in enumerate(zip(arm.trials, arm.values, strict=True)):
            if columns[0] is None or sample not in columns[0].values:
                continue
            values = [column.values[sample] for column in columns if column]
            writer.writerow([arm.name, arm.arm, sample, trial.seed, *values, *(drawn.get(path, "") for path in paths)])
    return file.getvalue()
