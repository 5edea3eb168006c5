"""A run as it trains: the newest grid, the plots and the last numbers, and whether any of them is new."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import PIL.Image

from ggdr.formatting import significant
from ggdr.hub.facts import latest_grids
from ggdr.saving import log_file
from ggdr.visualization.plots import plot_losses

ROWS = 12
"""Number of lines in the table."""
FIRST = ("kimg", *log_file.LABELS)
"""Columns that come first, where they were logged."""


class Stamp(NamedTuple):
    """What a run's folder held when it was last read."""

    logged: tuple[int, int] = (0, 0)
    """Time when the log was written, in ns, and its size in bytes."""
    grid: str = ""
    """File names of the newest grids."""


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a run."""
    return (folder / "metrics.jsonl").is_file() or (folder / "recipe.json").is_file()


def stamp(run: Path) -> Stamp:
    """Return what the folder holds now."""
    log = run / "metrics.jsonl"
    logged = (log.stat().st_mtime_ns, log.stat().st_size) if log.is_file() else (0, 0)
    return Stamp(logged, " ".join(grid.name for grid in latest_grids(run)))


def grid_picture(run: Path) -> PIL.Image.Image | None:
    """Open the newest grids, one of each view, below each other; None before the first."""
    grids = [PIL.Image.open(file).convert("RGB") for file in latest_grids(run)]
    if not grids:
        return None
    whole = PIL.Image.new("RGB", (max(grid.width for grid in grids), sum(grid.height for grid in grids)), "white")
    top = 0
    for grid in grids:
        whole.paste(grid, (0, top))
        top += grid.height
    return whole


def losses_picture(run: Path, aside: Path) -> PIL.Image.Image:
    """Plot all that was logged into the folder `aside`, since the run's own plots are the run's to write."""
    png = aside / "losses.png"
    plot_losses(run / "metrics.jsonl", png)
    return PIL.Image.open(io.BytesIO(png.read_bytes()))


def number_table(run: Path) -> tuple[list[str], list[list[str]]]:
    """Return names and values of r_t, p and the losses in the last lines of the log, the newest first."""
    rows = [row for row in log_file.read_rows(run / "metrics.jsonl") if any(key.startswith("loss/") for key in row)]
    last = rows[-ROWS:][::-1]
    names = [name for name in FIRST if any(name in row for row in last)]
    names += sorted({key for row in last for key in row if key.startswith("loss/")})
    titles = [name.removeprefix("augment/").removeprefix("loss/") for name in names]
    return titles, [[number(row.get(name)) for name in names] for row in last]


def number(value: float | None) -> str:
    """Format a value for the table; "" for None."""
    return "" if value is None else significant(value)


def headline(run: Path) -> str:
    """Describe in a line how far the run is."""
    last = None
    for row in log_file.read_rows(run / "metrics.jsonl"):
        last = row
    if last is None:
        return "Nothing is logged yet."
    speed = last.get("images_per_second")
    return f"**{last['kimg']:,.1f} kimg**" + (f" &nbsp; {speed:,.0f} images/s" if speed else "")
