"""Figures of a sweep: every run of each arm, and the best of k runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ggdr.comparison.ranks import Middle
from ggdr.comparison.report import LOG_RATIO
from ggdr.comparison.sweep_result import Column, Found
from ggdr.formatting import significant
from ggdr.visualization.plots import COLORS, DPI, GRID, INK, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLAIN, VARIANT, OTHERS = COLORS[0], COLORS[1], "#cfd3d8"
GOLDEN = (math.sqrt(5) - 1) / 2
"""share of its strip by which each point lies further to the right, so that few lie above each other"""
PANEL_IN = (2.3, 2.1)
"""width and height of a panel, inches"""
LEAST_WIDTH_IN = 7.6
"""least width of a figure, inches: the heading and the legend stand beside each other"""
MOST_COLUMNS = 4
"""panels beside each other"""
ROOM = 0.04
"""share of the axis above and below all values"""


class Limits(NamedTuple):
    """Ends of an axis of values, and whether it is logarithmic."""

    low: float
    high: float
    log: bool


def plot_runs(number: Found, png: Path) -> None:
    """Draw a point for each run, in a strip for each arm, over a box from quartile to quartile with the median.

    Runs that diverged are crosses above the axis; they count in the boxes.
    """
    from matplotlib.figure import Figure

    arms, limits = number.arms(), limits_of(value for column in number.columns for value in column.values.values())
    figure = Figure(figsize=(max(1.6 + 0.95 * len(arms), LEAST_WIDTH_IN), 4.2), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    for place, pair in enumerate(arms):
        columns = [column for column in pair if column]
        for column, color, x in zip(
            columns, (PLAIN, VARIANT), (-0.21, 0.21) if len(columns) > 1 else (0,), strict=False
        ):
            draw_strip(axes, column, place + x, color, limits)
    style(axes, limits)
    axes.set_xlim(-0.6, len(arms) - 0.4)
    axes.set_xticks(range(len(arms)), [arm.name for arm, _ in arms], fontsize=9, color=INK)
    axes.set_ylabel(f"{number.label}, {number.better} is better", fontsize=9, color=INK)
    heading = f"{number.label} of every run, hyperparameters drawn at random"
    figure.suptitle(heading, x=0.01, ha="left", fontsize=10.5, color=INK, fontweight="bold")
    legend(figure, number, "o")
    save(figure, png)


def draw_strip(axes: Axes, column: Column, x: float, color: str, limits: Limits) -> None:
    """One arm's box and points around x."""
    import numpy as np

    values = sorted(column.values.values())
    low, high = (
        min(max(float(q), limits.low), limits.high) for q in np.quantile(values, (0.25, 0.75), method="inverted_cdf")
    )
    axes.fill_between([x - 0.17, x + 0.17], low, high, color=color, alpha=0.18, lw=0)
    middle = column.median().value
    if math.isfinite(middle):
        axes.plot([x - 0.17, x + 0.17], [middle, middle], color=color, linewidth=2, solid_capstyle="butt")
    for i, value in enumerate(values):
        at = x + 0.26 * ((i * GOLDEN) % 1 - 0.5)
        if math.isfinite(value):
            axes.plot(at, value, "o", color=color, markersize=3.6, alpha=0.75, markeredgewidth=0)
    if lost := len(column.diverged):
        top = axes.get_xaxis_transform()
        axes.plot(x, 1.025, "x", color=color, markersize=4.5, markeredgewidth=1.4, transform=top, clip_on=False)
        axes.text(x + 0.06, 1.025, f" {lost}", color=color, fontsize=8, va="center", transform=top)


def plot_best_of(number: Found, png: Path) -> None:
    """Draw the expected best of k runs over k, a panel for each arm, in a band that holds 95 % of it.

    The other arms stand behind in gray.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    arms, most = number.arms(), max(len(column.values) for column in number.columns)
    best = {c.name: [number.best_of(c, k) for k in range(1, len(c.values) + 1)] for c in number.columns}
    limits = limits_of(middle.value for line in best.values() for middle in line)
    columns = min(len(arms), MOST_COLUMNS)
    rows = math.ceil(len(arms) / columns)
    size = (max(PANEL_IN[0] * columns + 0.4, LEAST_WIDTH_IN), PANEL_IN[1] * rows + 0.8)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flatten()
    for axes, (arm, variant) in zip(grid, arms, strict=False):
        for other, _ in arms:
            axes.plot(*line_of(best[other.name]), color=OTHERS, linewidth=0.9)
        for column, color in zip((arm, variant), (PLAIN, VARIANT), strict=True):
            if column:
                draw_best_of(axes, best[column.name], color, limits)
        style(axes, limits)
        axes.set_xlim(1, max(most, 2))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set_title(arm.name, loc="left", fontsize=9.5, color=INK, fontweight="bold")
    for axes in grid[len(arms) :]:
        axes.set_visible(False)
    figure.supxlabel("runs, each by other hyperparameters", fontsize=9, color=INK)
    figure.supylabel(f"best {number.label}, {number.better} is better", fontsize=9, color=INK)
    heading = f"Best {number.label} against the budget (mean, 95 % band)"
    figure.suptitle(heading, x=0.01, ha="left", fontsize=10.5, color=INK, fontweight="bold")
    legend(figure, number, "-", others=len(arms) > 1)
    save(figure, png)


def draw_best_of(axes: Axes, line: Sequence[Middle], color: str, limits: Limits) -> None:
    """One arm's line and band."""
    k, middle = line_of(line)
    ends = [each.interval or (each.value, each.value) for each in line]
    low, high = ([min(max(end[side], limits.low), limits.high) for end in ends] for side in (0, 1))
    axes.fill_between(k, low, high, color=color, alpha=0.16, lw=0)
    axes.plot(k, middle, color=color, linewidth=1.8)


def line_of(line: Sequence[Middle]) -> tuple[list[int], list[float]]:
    """Numbers of runs, and the best of as many."""
    return [*range(1, len(line) + 1)], [middle.value for middle in line]


def legend(figure: Figure, number: Found, marker: str, others: bool = False) -> None:
    """Name the colours, if there is more than one, above the panels."""
    from matplotlib.lines import Line2D

    variant = next((other.name.removeprefix(f"{arm.name}+") for arm, other in number.arms() if other), "")
    shown = {"without": PLAIN, f"with {variant}": VARIANT} if variant else {"the arm": PLAIN} if others else {}
    shown |= {"all arms without" if variant else "all arms": OTHERS} if others else {}
    handles = [
        Line2D(
            [],
            [],
            color=color,
            marker=marker if marker == "o" else "",
            linestyle="" if marker == "o" else "-",
            label=name,
        )
        for name, color in shown.items()
    ]
    if handles:
        figure.legend(handles=handles, loc="outside upper right", ncols=3, frameon=False, fontsize=8, labelcolor=INK)


def limits_of(values: Iterable[float]) -> Limits:
    """Limits that hold all finite values, logarithmic where these differ much in size and are above 0."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    if low > 0 and high > LOG_RATIO * low:
        room = (high / low) ** ROOM
        return Limits(low / room, high * room, True)
    room = ROOM * (high - low) or 0.05 * abs(high) or 0.5
    return Limits(low - room, high + room, False)


def style(axes: Axes, limits: Limits) -> None:
    """Set the axis of values, and quiet colours."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if limits.log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if limits.high < 1000 * limits.low else (1,)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 3)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(limits.low, limits.high)
    axes.tick_params(labelsize=8, colors=INK, length=0)
    axes.minorticks_off()
    axes.grid(color=GRID, linewidth=0.8, axis="y")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
