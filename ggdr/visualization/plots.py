"""Plots of a run's numbers: one figure, one small panel for each question a person asks of a GAN in training."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ggdr import folders
from ggdr.saving import log_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GRID = "#33373d", "#e6e8eb"
COLORS = ("#2f6db5", "#d9642c", "#2b9d78", "#8d5cb0", "#c43d64", "#8a7a2e", "#4fa8c9", "#767c85")
WIDTH_IN, HEIGHT_IN, DPI = 4.6, 2.9, 110
SMOOTH_SHARE = 0.04
"""Share of a line's points that the smoothed line averages over."""
FEW = 12
"""Number of points up to which each is marked."""
DASHED = ("r_t",)
"""Labels of lines that would hide another one, and are dashed."""
SPIKE_QUANTILES = (0.01, 0.99)
"""Quantiles beyond which a point is a spike, and may leave the panel."""
LOG_RATIO = 100
"""Ratio of the largest to the smallest typical value in a panel above which its axis is logarithmic."""


class Line(NamedTuple):
    """One logged number over the run."""

    kimg: list[float]
    value: list[float]


class Panel(NamedTuple):
    """One panel of the figure: which numbers belong to it, and how they are called."""

    title: str
    keys: tuple[str, ...]
    """Keys of the log, or prefixes that end with a slash, of which the rest is the label."""
    labels: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None


PANELS = (
    Panel("Generator losses", ("loss/g/",)),
    Panel("Discriminator losses", ("loss/d/",)),
    Panel("Logits", ("logits/real", "logits/fake"), ("real", "fake")),
    Panel(
        "Overfitting",
        ("signs/real", "signs/fake", "augment/r_t", "augment/p", "augment/r_d"),
        ("sign of D(real)", "sign of D(fake)", "r_t", "p", "r_d"),
        (-1.05, 1.05),
    ),
    Panel("Most steps of diffusion", ("augment/T",), ("T",)),
    Panel("Gradient norms", ("grad/g", "grad/d"), ("generator", "discriminator")),
    Panel("Scheduled: learning rates", ("lr/",)),
    Panel("Scheduled: beta2", ("beta2/",)),
    Panel("Scheduled: weights of terms", ("weight/",)),
    Panel("Scheduled: half-life of the running mean, kimg", ("ema_kimg",), ("",)),
    Panel("Speed, images per second", ("images_per_second",), ("",)),
)


def plot_losses(jsonl: Path, png: Path) -> None:
    """Draw the panels for which `jsonl` holds numbers, and one for each metric, into `png`, over kimg.

    Light: as logged. Dark: smoothed. Nulls are left out; without any number the picture says so.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    lines = read_lines(Path(jsonl))
    panels = [(panel, found) for panel in all_panels(lines) if (found := select_lines(panel, lines))]
    columns = min(len(panels), 2 if len(panels) <= 4 else 3) or 1
    rows = max(1, math.ceil(len(panels) / columns))
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
    figure = Figure(figsize=(WIDTH_IN * columns, HEIGHT_IN * rows), dpi=DPI, layout=layout)
    end_kimg = max((line.kimg[-1] for line in lines.values()), default=0.0)
    for place, (panel, found) in enumerate(panels, 1):
        draw_panel(figure.add_subplot(rows, columns, place), panel, found, end_kimg)
    if not panels:
        figure.text(0.5, 0.5, "nothing logged yet", ha="center", va="center", color=INK)
    save(figure, Path(png))


def read_lines(jsonl: Path) -> dict[str, Line]:
    """Read every logged number over kimg, without nulls."""
    lines: dict[str, Line] = defaultdict(lambda: Line([], []))
    for row in log_file.read_rows(jsonl):
        for key, value in row.items():
            if value is not None:
                lines[key].kimg.append(row["kimg"] or 0.0)
                lines[key].value.append(value)
    return dict(lines)


def all_panels(lines: dict[str, Line]) -> list[Panel]:
    """Return the fixed panels, and one for each family of metrics: `metric/swd` and `metric/swd/16` share one."""
    names = sorted({key.split("/")[1] for key in lines if key.startswith("metric/")})
    metrics = [Panel(f"Metric {name}", (f"metric/{name}", f"metric/{name}/"), (name,)) for name in names]
    return [*PANELS, *metrics]


def select_lines(panel: Panel, lines: dict[str, Line]) -> dict[str, Line]:
    """Return a panel's lines by label, in the panel's order."""
    found = {label: lines[key] for key, label in zip(panel.keys, panel.labels, strict=False) if key in lines}
    for prefix in panel.keys:
        if prefix.endswith("/"):
            found |= {key.removeprefix(prefix): line for key, line in lines.items() if key.startswith(prefix)}
    return found


def draw_panel(axes: Axes, panel: Panel, found: dict[str, Line], end_kimg: float) -> None:
    """Draw one panel: each line as logged, thin and light, under its smoothed version."""
    smoothed = {label: smooth(line.value) for label, line in found.items()}
    for (label, line), color in zip(found.items(), COLORS * len(found), strict=False):
        dash, marker = "--" if label in DASHED else "-", "o" if len(line.value) <= FEW else ""
        axes.plot(line.kimg, line.value, dash, color=color, alpha=0.28, linewidth=0.8)
        axes.plot(line.kimg, smoothed[label], marker + dash, color=color, linewidth=1.6, markersize=3.5, label=label)
    axes.set_xlim(0, 1.01 * end_kimg or 1)
    scale_axes(axes, panel, list(found.values()), list(smoothed.values()))
    style_axes(axes, panel, list(found))


def smooth(values: Sequence[float]) -> list[float]:
    """Return a Gaussian mean over a share of the points around each, cut off at the ends, so that the line does not
    lag."""
    import numpy as np

    sigma = len(values) * SMOOTH_SHARE / 2
    if sigma < 0.5:
        return list(values)
    bell = np.exp(-0.5 * (np.arange(-round(3 * sigma), round(3 * sigma) + 1) / sigma) ** 2)
    return (np.convolve(values, bell, mode="same") / np.convolve(np.ones(len(values)), bell, mode="same")).tolist()


def scale_axes(axes: Axes, panel: Panel, raw: list[Line], smoothed: list[list[float]]) -> None:
    """Set a logarithmic axis where lines differ much in size, and limits that single spikes do not stretch."""
    import numpy as np

    if panel.limits:
        axes.set_ylim(*panel.limits)
        return
    typical = [abs(float(np.median(line.value))) for line in raw]
    least = min(min(line.value) for line in raw)
    if max(typical) > LOG_RATIO * min(typical):
        axes.set_yscale("log") if least > 0 else axes.set_yscale("symlog", linthresh=1)
        return
    usual = np.concatenate([np.quantile(line.value, SPIKE_QUANTILES) for line in raw] + smoothed)
    low, high = float(usual.min()), float(usual.max())
    room = 0.07 * (high - low) or 0.05 * abs(high) or 0.5
    axes.set_ylim(low - room, high + room)


def style_axes(axes: Axes, panel: Panel, labels: list[str]) -> None:
    """Set title, legend, axes and grid lines in quiet colours."""
    shown = labels if len(labels) > 1 or panel.keys[0].endswith("/") else []
    axes.set_title(
        panel.title, loc="left", fontsize=9.5, color=INK, fontweight="bold", pad=5 + 11 * math.ceil(len(shown) / 4)
    )
    if shown:
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=4, frameon=False, fontsize=7.5, labelcolor=INK,
            handlelength=1.2, columnspacing=1.2, borderpad=0.2, borderaxespad=0.1,
        )  # fmt: skip
    axes.set_xlabel("kimg", fontsize=8, color=INK, loc="right", labelpad=1)
    axes.tick_params(labelsize=8, colors=INK, length=0)
    axes.minorticks_off()
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GRID)


def save(figure: Figure, png: Path) -> None:
    """Write the picture aside and move it into place."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    png.parent.mkdir(parents=True, exist_ok=True)
    unfinished = png.with_name(f".{png.name}.part")
    figure.set_facecolor("white")
    canvas = FigureCanvasAgg(figure)  # `figure.savefig` draws it twice
    canvas.print_png(unfinished, metadata={"Software": folders.SHEET})
    os.replace(unfinished, png)
