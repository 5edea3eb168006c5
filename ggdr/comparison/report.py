"""What a comparison found: means with intervals over seeds, paired differences, and a plot over the run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

from ggdr.evaluation.result import MetricValue, finite
from ggdr.formatting import format_with_error, significant
from ggdr.visualization.plots import COLORS, DPI, Panel, save, style_axes

SIZE_IN = (6.4, 4.0)
LOG_RATIO = 20
"""largest over smallest mean of a plot from which on its axis is logarithmic"""


class Curve(NamedTuple):
    """One number of one arm over the run."""

    arm: str
    kimg: list[float]
    values: dict[int, list[float]]
    """seed -> value at each kimg"""


class Number(NamedTuple):
    """What is compared."""

    label: str
    better: str
    """"lower" or "higher" """
    curves: list[Curve]
    """an arm each; the others are compared with the first"""


def final(curve: Curve) -> MetricValue:
    """The values at the end, a seed each."""
    return MetricValue([values[-1] for values in curve.values.values()])


def best(curve: Curve, better: str) -> MetricValue:
    """Each seed's best value; chosen after the fact, so better than what a run that is stopped by chance gets."""
    pick = min if better == "lower" else max
    known = ([value for value in values if math.isfinite(value)] for values in curve.values.values())
    return MetricValue([pick(values, default=math.nan) for values in known])


def difference(curve: Curve, base: Curve) -> MetricValue | None:
    """What a curve ends above the base, seed by seed; None where they share none."""
    shared = [seed for seed in curve.values if seed in base.values]
    gaps = [curve.values[seed][-1] - base.values[seed][-1] for seed in shared]
    return MetricValue(gaps) if gaps else None


def with_margin(value: MetricValue, sign: str = "") -> str:
    """Mean and half the interval; of a single value that alone."""
    if value.margin is None:
        return significant(value.mean, sign=sign)
    return format_with_error(value.mean, value.margin, sign)


def told(gap: MetricValue) -> str:
    """A difference, in bold where its interval leaves zero out."""
    text = with_margin(gap, "+")
    return f"**{text}**" if leaves_zero_out(gap) else text


def leaves_zero_out(gap: MetricValue | None) -> bool:
    """Whether a difference has an interval, and zero lies outside."""
    return gap is not None and gap.margin is not None and abs(gap.mean) > gap.margin


def as_json(number: Number) -> dict[str, Any]:
    """All that a number was measured to be, and what is made of it."""
    base = number.curves[0]
    arms = {}
    for curve in number.curves:
        gap = None if curve is base else difference(curve, base)
        arms[curve.arm] = {
            "values": {str(seed): [finite(value) for value in values] for seed, values in curve.values.items()},
            "final": final(curve).as_json(),
            "best": best(curve, number.better).as_json(),
            "difference": gap and gap.as_json(),
        }
    return {"better": number.better, "kimg": base.kimg, "arms": arms}


def plot(number: Number, png: Path) -> None:
    """Draw the number over kimg into `png`: the mean over seeds, within the band from their lowest to their highest."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_IN, dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    means: list[float] = []
    for place, curve in enumerate(number.curves):
        color, line = COLORS[place % len(COLORS)], "o--" if place >= len(COLORS) else "o-"
        points = list(zip(*curve.values.values(), strict=True))
        mean = [MetricValue(list(values)).mean for values in points]
        axes.fill_between(curve.kimg, [min(p) for p in points], [max(p) for p in points], color=color, alpha=0.15, lw=0)
        axes.plot(curve.kimg, mean, line, color=color, linewidth=1.6, markersize=3.5, label=curve.arm)
        means += [value for value in mean if math.isfinite(value)]
    if means and min(means) > 0 and max(means) > LOG_RATIO * min(means):
        axes.set_yscale("log")
    axes.set_xlim(0, 1.01 * number.curves[0].kimg[-1])
    seeds = sorted({len(curve.values) for curve in number.curves})
    count = " or ".join(map(str, seeds)) + " seed" + "s" * (seeds != [1])
    band = ", band: their range" if seeds != [1] else ""
    title = f"{number.label}, {number.better} is better (mean of {count}{band})"
    style_axes(axes, Panel(title, ("arms/",)), [curve.arm for curve in number.curves])
    save(figure, png)
