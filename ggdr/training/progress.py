"""The run's progress on the terminal: a bar where there is one, a plain line now and then where there is none."""

from __future__ import annotations

import time
from collections.abc import Mapping

from ggdr.formatting import significant
from ggdr.progress import Bar, clock, line_due
from ggdr.saving.log_file import LABELS

BAR = "{percentage:3.0f}% |{bar}| {n}/{total:g} kimg [{elapsed}<{remaining}{postfix}]"


def summary(row: Mapping[str, float | None]) -> str:
    """One line's worth of a log row: speed, the players' losses, r_t, p and metrics, as far as they are there."""
    there = {key: value for key, value in row.items() if value is not None}
    parts = []
    if (speed := there.get("images_per_second")) is not None:
        parts.append(f"{speed:.0f} images/s" if speed >= 100 else f"{significant(speed, 3)} images/s")
    g, d = ({key[7:]: value for key, value in there.items() if key.startswith(f"loss/{turn}/")} for turn in "gd")
    for name in sorted(g.keys() & d.keys()):  # what both players have is the adversarial loss
        parts += [f"g {g[name]:.3f}", f"d {d[name]:.3f}"]
    parts += [f"{label} {there[key]:.3f}" for key, label in LABELS.items() if key in there]
    metrics = {key.removeprefix("metric/"): value for key, value in there.items() if key.startswith("metric/")}
    return ", ".join(parts + [f"{name} {significant(value)}" for name, value in metrics.items()])


class Progress:
    """Shows thousands of images seen out of `total_kimg`, starting at `kimg`."""

    def __init__(self, total_kimg: float, kimg: float = 0.0):
        self.total, self.first = total_kimg, kimg
        self.form = ".1f" if total_kimg >= 10 else ".3f"  # a short run is not over before its first step
        self.began = self.shown = time.monotonic()
        self.line = ""
        form = BAR.replace("{n}", f"{{n:{self.form}}}")
        self.work = Bar(total=total_kimg, done=kimg, form=form, lines=False, leave=True)
        self.bar = self.work.bar

    def move(self, kimg: float) -> None:
        """Move the bar, after each step; it is drawn once a second."""
        self.work.advance(min(kimg, self.total) - self.work.count)

    def show(self, row: Mapping[str, float | None]) -> None:
        """Move to `row["kimg"]`; what was measured without images passing, a metric, gets its own line."""
        kimg, text = row["kimg"] or 0.0, summary(row)
        if row.get("images_per_second") is None:
            if text:
                self.say(f"{kimg:{self.form}} kimg: {text}")
        elif self.bar is not None:
            self.bar.set_postfix_str(text, refresh=False)
            self.move(kimg)
        else:
            self.show_line(kimg, text)

    def show_line(self, kimg: float, text: str) -> None:
        """Print the first line at once, a later one if the last was long enough ago."""
        now = time.monotonic()
        self.line = f"{kimg:{self.form}}/{self.total:g} kimg, {self.times(kimg, now)}, {text}"
        if line_due(now, self.shown, self.began) or self.shown == self.began:
            self.flush()

    def times(self, kimg: float, now: float) -> str:
        """Time since the start and time to go, at the mean speed."""
        elapsed = now - self.began
        pace = elapsed / max(kimg - self.first, 1e-9)
        return f"{clock(elapsed)} elapsed, {clock(pace * max(self.total - kimg, 0))} to go"

    def flush(self) -> None:
        """Print the plain line that waits, if one does."""
        if self.line:
            print(self.line, flush=True)
        self.line, self.shown = "", time.monotonic()

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self.bar is None:
            self.flush()
            print(text, flush=True)
        else:
            self.bar.write(text)

    def close(self) -> None:
        """Leave the last state on the terminal."""
        if self.bar is None:
            self.flush()
        self.work.close()
