"""The run's journal: metrics.jsonl, sample grids, loss plots, progress and trackers, kept by the main process."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from ggdr.lazy import Tensor
from ggdr.sampling.grid import grid_columns, make_grid, save_grid
from ggdr.saving import log_file
from ggdr.trackers.base import Tracker
from ggdr.training.progress import Progress
from ggdr.visualization.plots import plot_losses

PLOT_AFTER_SEC = 10.0
"""seconds of a run, after its start or its last plot, that it goes without a plot"""
PLOT_SHARE = 0.05
"""share of a run's time that its plots may take"""


class Journal:
    """What the trainer tells, written down in the run's folder. Other processes than the main one get a `NoJournal`."""

    def __init__(
        self,
        out: Path,
        total_kimg: float,
        trackers: Iterable[Tracker] = (),
        *,
        config: Mapping[str, str | int | float] | None = None,
        step: int = 0,
        images_seen: int = 0,
    ):
        """Open the journal of folder `out`; what it holds of steps after `step`, a crashed run's last, is dropped.

        `config`: the recipe's settings, flat, for the trackers. UserError if a tracker's package is missing.
        """
        self.out, self.step, self.images_seen = Path(out).absolute(), step, images_seen
        self.file = self.out / "metrics.jsonl"
        self.out.mkdir(parents=True, exist_ok=True)
        last = log_file.truncate(self.file, step)
        self.seconds_before = (last and last.get("seconds")) or 0.0
        self.trackers: list[Tracker] = []
        for tracker in trackers:
            tracker.start(self.out, dict(config or {}), step)
            self.trackers.append(tracker)
        self.plotted = 0  # bytes of the log that are in the plot
        self.plot_due = time.monotonic() + PLOT_AFTER_SEC
        self.progress = Progress(total_kimg, images_seen / 1000)
        self.began = self.logged = time.monotonic()

    def log(self, images_seen: int, step: int, stats: Mapping[str, float]) -> None:
        """Write one line down and show it: reals shown so far, steps done, and numbers by name (loss/g/..., grad/g)."""
        row = self.stamp(images_seen, step) | {key: float(value) for key, value in stats.items()}
        log_file.append_row(self.file, row)
        self.progress.show(row)
        numbers = {key: value for key, value in row.items() if key not in ("step", "kimg") and math.isfinite(value)}
        for tracker in self.trackers:
            tracker.log(numbers, images_seen / 1000, step)

    def metrics_at(self, step: int) -> set[str]:
        """Names of the metrics that are written down for a step."""
        keys = (key for row in log_file.read_rows(self.file) if row["step"] == step for key in row)
        return {key.split("/")[1] for key in keys if key.startswith("metric/")}

    def stamp(self, images_seen: int, step: int) -> dict[str, float]:
        """When: step, kimg, seconds since the run's very start, and the speed since the last line, if images passed."""
        now = time.monotonic()
        images, seconds = images_seen - self.images_seen, max(now - self.logged, 1e-9)
        row = {"step": step, "kimg": images_seen / 1000, "seconds": round(self.seconds_before + now - self.began, 3)}
        if images > 0:
            row["images_per_second"] = round(images / seconds, 3)
            self.logged, self.images_seen = now, images_seen
        self.step = step
        return row

    def rewind(self, images_seen: int, step: int) -> None:
        """Drop what was written down after `step`, to which the run has gone back."""
        log_file.truncate(self.file, step)
        self.step, self.images_seen, self.logged = step, images_seen, time.monotonic()

    def grid(self, name: str, images: Tensor, images_seen: int | None = None, rows_of: int = 1) -> Path:
        """Save images uint8 [N, C, H, W] as samples/NAME-000012.300kimg.png; `images_seen` None: samples/NAME.png.

        `rows_of`: a row holds whole groups of as many of them.
        """
        stem = name if images_seen is None else f"{name}-{images_seen / 1000:010.3f}kimg"
        path = self.out / "samples" / f"{stem}.png"
        width = rows_of * images.shape[3]
        columns = rows_of * grid_columns(len(images) // rows_of, images.shape[2], width) if rows_of > 1 else None
        save_grid(images, path, columns)
        for tracker in self.trackers:
            whole = make_grid(images, columns)
            # Not every service takes one channel.
            tracker.images(f"samples/{name}", whole.repeat(1, 1, 3 if whole.shape[2] == 1 else 1).numpy(), self.step)
        return path

    def plot(self) -> Path:
        """Draw losses.png from all that was logged, if that has grown."""
        size = self.file.stat().st_size if self.file.exists() else 0
        if size != self.plotted:
            began = time.monotonic()
            plot_losses(self.file, self.out / "losses.png")
            self.plotted, ended = size, time.monotonic()
            self.plot_due = ended + max(PLOT_AFTER_SEC, (ended - began) / PLOT_SHARE)
        return self.out / "losses.png"

    def plot_if_due(self) -> None:
        """Draw losses.png, unless drawing it again so soon would take too much of the run's time."""
        if time.monotonic() >= self.plot_due:
            self.plot()

    def move(self, images_seen: int) -> None:
        """Show how far the run is, after a step."""
        self.progress.move(images_seen / 1000)

    def say(self, text: str) -> None:
        """Print a line of text above the progress bar, to the standard output."""
        self.progress.say(text)

    def close(self) -> None:
        """End the progress bar and the trackers."""
        self.progress.close()
        for tracker in self.trackers:
            tracker.close()


class NoJournal(Journal):
    """The journal of all other processes: it takes everything and does nothing."""

    def __init__(self) -> None:
        self.file = Path(os.devnull) / "metrics.jsonl"

    def log(self, images_seen: int, step: int, stats: Mapping[str, float]) -> None: ...

    def metrics_at(self, step: int) -> set[str]:
        return set()

    def rewind(self, images_seen: int, step: int) -> None: ...

    def grid(self, name: str, images: Tensor, images_seen: int | None = None, rows_of: int = 1) -> Path:
        return Path(os.devnull)

    def plot(self) -> Path:
        return Path(os.devnull)

    def plot_if_due(self) -> None: ...

    def move(self, images_seen: int) -> None: ...

    def say(self, text: str) -> None: ...

    def close(self) -> None: ...
