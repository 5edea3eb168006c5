"""The run's progress on the terminal: a bar where there is one, a plain line now and then where there is none."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tqdm import tqdm

BAR = "{percentage:3.0f}% |{bar}| {n:.1f}/{total:g} kimg [{elapsed}<{remaining}{postfix}]"
SHORT_SEC, LONG_SEC = 20.0, 600.0
"""least and greatest time between two plain lines; between them it is a twentieth of the time since the start"""


def clock(seconds: float) -> str:
    """Seconds as "m:ss" or "h:mm:ss"."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def summary(row: Mapping[str, float | None]) -> str:
    """One line's worth of a log row: speed, the players' losses, r_t and p, as far as they are there."""
    parts = []
    if row.get("images_per_second") is not None:
        parts.append(f"{row['images_per_second']:.3g} images/s")
    for turn in "gd":
        losses = [value for key, value in row.items() if key.startswith(f"loss/{turn}/") and value is not None]
        if losses:  # the adversarial loss comes first, the regularizers after it
            parts.append(f"{turn} {losses[0]:.3f}")
    for key, label in (("augment/r_t", "r_t"), ("augment/p", "p")):
        if row.get(key) is not None:
            parts.append(f"{label} {row[key]:.3f}")
    return ", ".join(parts)


class Progress:
    """Shows thousands of images seen out of `total_kimg`, starting at `kimg`."""

    def __init__(self, total_kimg: float, kimg: float = 0.0):
        self.total, self.first = total_kimg, kimg
        self.began = self.shown = time.monotonic()
        self.line = ""
        self.bar = self.new_bar() if sys.stderr.isatty() else None

    def new_bar(self) -> tqdm:
        from tqdm import tqdm

        return tqdm(total=self.total, initial=self.first, bar_format=BAR, dynamic_ncols=True, mininterval=0, miniters=0)

    def show(self, row: Mapping[str, float | None]) -> None:
        """Move to `row["kimg"]`."""
        kimg = row["kimg"] or 0.0
        if self.bar is not None:
            self.bar.set_postfix_str(summary(row), refresh=False)
            self.bar.update(min(kimg, self.total) - self.bar.n)
            return
        now = time.monotonic()
        self.line = f"{kimg:.1f}/{self.total:g} kimg, {self.times(kimg, now)}, {summary(row)}"
        wait = min(max(SHORT_SEC, (now - self.began) / 20), LONG_SEC)
        if now - self.shown >= wait or self.shown == self.began:
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
            print(text, flush=True)
        else:
            self.bar.write(text)

    def close(self) -> None:
        """Leave the last state on the terminal."""
        if self.bar is None:
            self.flush()
        else:
            self.bar.close()
