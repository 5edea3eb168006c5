"""What read-outs found: as a table of text, as CSV and JSON, and as a plot of mean IoU over resolutions."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from ggdr.cache import write_whole
from ggdr.visualization.plots import COLORS, DPI, GRID, HEIGHT_IN, INK, WIDTH_IN, save
from ggdr.visualization.probe import LOGITS, PIXELS, Probed, ReadOut
from ggdr.visualization.sheets import NAMES

HEADS = (
    "read from",
    "resolution",
    "channels",
    "mIoU",
    "accuracy",
    "mIoU of reals",
    "accuracy of reals",
    "ARI of k-means",
)
STYLES = {
    "generator": (COLORS[0], "o-"),
    "encoder": (COLORS[1], "o-"),
    "decoder": (COLORS[2], "o-"),
    LOGITS: (COLORS[3], "D"),
    PIXELS: (COLORS[7], "o--"),
}
"""colour and line of each source"""
CALLED = {**NAMES, LOGITS: "D's class logits", PIXELS: "the pixels alone"}


def as_text(probed: Probed) -> str:
    """A line for each source and resolution."""
    cells = [HEADS, *(cells_of(row) for row in probed.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in cells]
    return "\n".join(line.rstrip() for line in lines)


def cells_of(row: ReadOut) -> tuple[str, ...]:
    """The texts of a line."""
    numbers = (row.generated_miou, row.generated_accuracy, row.real_miou, row.real_accuracy, row.rand_index)
    shown = ("-" if number is None else f"{number:.3f}" for number in numbers)
    return CALLED[row.source], str(row.resolution), str(row.channels or "-"), *shown


def write_report(probed: Probed, files: Sequence[Path], title: str) -> None:
    """Write three files: the CSV, the JSON with all that the numbers depend on, and the plot."""
    table_file, record, plot = files
    write_whole(table_file, lambda aside: write_csv(probed.rows, aside))
    rows = [row._asdict() for row in probed.rows]
    text = json.dumps({"rows": rows, "ceiling": probed.ceiling, **probed.protocol}, indent=1)
    write_whole(record, lambda aside: aside.write_text(text + "\n", encoding="utf-8"))
    draw(probed, title, plot)


def write_csv(rows: Sequence[ReadOut], file: Path) -> None:
    """Write a line for each source and resolution."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(ReadOut._fields)
        writer.writerows(rows)


def draw(probed: Probed, title: str, png: Path) -> None:
    """Draw mean IoU over resolution, a line for each source: of generated images, and of real ones if there are any."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    panels = {"generated images, by the segmenter": "generated_miou", "held-out real images": "real_miou"}
    shown = {name: key for name, key in panels.items() if any(True for _ in lines(probed, key))}
    size = (WIDTH_IN * len(shown), HEIGHT_IN + 0.4)
    figure = Figure(figsize=size, dpi=DPI, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1))
    for place, (name, key) in enumerate(shown.items(), 1):
        axes = figure.add_subplot(1, len(shown), place)
        for source, resolutions, values in lines(probed, key):
            color, line = STYLES[source]
            axes.plot(resolutions, values, line, color=color, linewidth=1.6, markersize=4, label=CALLED[source])
        if key == "real_miou":
            axes.axhline(probed.ceiling["miou"], color=INK, linestyle=":", linewidth=1, label="the segmenter")
        every = sorted({row.resolution for row in probed.rows})
        axes.set_xscale("log", base=2)
        axes.set_xticks(every, [str(resolution) for resolution in every])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.set_title(name, loc="left", fontsize=9.5, color=INK, fontweight="bold")
        axes.set_xlabel("resolution of the maps, pixels", fontsize=8, color=INK)
        axes.set_ylabel("mean IoU of a linear read-out", fontsize=8, color=INK)
        axes.tick_params(labelsize=8, colors=INK, length=0)
        axes.grid(color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.legend(frameon=False, fontsize=7.5, labelcolor=INK)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, color=INK)
    save(figure, png)


def lines(probed: Probed, key: str) -> Iterator[tuple[str, list[int], list[float]]]:
    """Each source that has such numbers, its resolutions and the numbers."""
    for source in STYLES:
        found = {row.resolution: row._asdict()[key] for row in probed.rows if row.source == source}
        known = {resolution: number for resolution, number in sorted(found.items()) if number is not None}
        if known:
            yield source, [*known], [*known.values()]
