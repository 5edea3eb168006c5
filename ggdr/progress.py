"""What a person sees who waits: a line that says what is loaded, and bars that move every second, by tqdm.

All of it goes to the error output, which no script pipes on, and comes from the first process of a launch alone. Where
there is neither a terminal nor a notebook a bar is a plain line now and then.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sized
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from tqdm import tqdm

Of = TypeVar("Of")
TICK_SEC = 1.0
"""seconds after which a bar moves, whether or not its work has"""
SHORT_SEC, LONG_SEC = 20.0, 600.0
"""least and greatest time between two plain lines; between them it is a twentieth of the time since the start"""
UNCOUNTED, COUNTING = "{desc} [{elapsed}]", "{desc}: {n_fmt}{unit} [{elapsed}, {rate_fmt}]"
"""how work looks of which nobody knows how much there is, without parts and with parts that are counted"""


def is_first_process() -> bool:
    """Whether this process speaks for its launch: it is the only one, or the first."""
    return os.environ.get("RANK", "0") == "0"


def takes_bars() -> bool:
    """Whether what was drawn on the error output can be drawn over: a terminal, or a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


def say_loading(what: str) -> None:
    """Say at once what a command is about to load: call it before the import of torch, which takes seconds."""
    if is_first_process():
        print(f"ggdr: loading {what} ...", file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """Seconds as "m:ss" or "h:mm:ss"."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def line_due(now: float, shown: float, began: float) -> bool:
    """Whether a plain line is due: the longer work has lasted, the more seldom."""
    return now - shown >= min(max(SHORT_SEC, (now - began) / 20), LONG_SEC)


class Bar:
    """Work under way, a context: a bar on a terminal from its second second on, or a plain line now and then."""

    def __init__(
        self,
        what: str = "",
        total: float | None = None,
        unit: str = "",
        *,
        shown: bool = True,
        lines: bool = True,
        form: str | None = None,
        done: float = 0,
        scale: bool = False,
        leave: bool = False,
    ):
        """`what`: a name in front of it. `total`: how many `unit` there are, such as "images"; None: nobody knows.

        `shown`: False for none at all. `lines`: whether there are plain lines without a terminal. `form`: tqdm's
        bar_format. `done`: of the total, what is done already. `scale`: write thousands as k, millions as M.
        `leave`: leave it on the terminal at the end.
        """
        self.what, self.total, self.unit, self.count = what, total, unit, done
        self.began = self.shown = time.monotonic()
        self.lines = lines and shown and is_first_process()
        self.bar = self.make_bar(form, scale, leave) if shown and is_first_process() and takes_bars() else None
        self.over = threading.Event()
        if self.bar is not None or self.lines:
            threading.Thread(target=self.keep_moving, daemon=True).start()

    def make_bar(self, form: str | None, scale: bool, leave: bool) -> tqdm:
        """Tqdm's bar, which shows itself first when it is told to, a tick from now."""
        from tqdm import tqdm

        known = None if self.total is not None else COUNTING if self.unit else UNCOUNTED
        return tqdm(
            desc=self.what, total=self.total, unit=f" {self.unit}", initial=self.count, unit_scale=scale, leave=leave,
            dynamic_ncols=True, delay=TICK_SEC, bar_format=form or known,
        )  # fmt: skip

    def keep_moving(self) -> None:
        """Show every second how things are, from a thread that ends with the work."""
        while not self.over.wait(TICK_SEC):
            now = time.monotonic()
            if self.bar is not None:
                self.bar.refresh()
            elif line_due(now, self.shown, self.began):
                self.shown = now
                print(self.line(now), file=sys.stderr, flush=True)

    def line(self, now: float) -> str:
        """How far the work is, in words."""
        counted = f"{self.count:g}{f'/{self.total:g}' if self.total is not None else ''} {self.unit}".strip()
        reached = f"{counted}, " if self.count or self.total is not None else ""
        return f"{self.what or 'working'}: {reached}{clock(now - self.began)} elapsed"

    def advance(self, count: float = 1) -> None:
        """So much more is done."""
        self.count += count
        if self.bar is not None:
            self.bar.update(count)

    def describe(self, what: str) -> None:
        """Give it another name: that of the stage that has begun."""
        self.what = what
        if self.bar is not None:
            self.bar.set_description_str(what, refresh=False)

    def write(self, text: str) -> None:
        """Print a line above the bar, to the standard output."""
        if self.bar is None:
            print(text, flush=True)
        else:
            self.bar.write(text)

    def warn(self, text: str) -> None:
        """Print a warning above the bar, to the error output."""
        if self.bar is None:
            print(f"ggdr: warning: {text}", file=sys.stderr, flush=True)
        else:
            self.bar.write(f"ggdr: warning: {text}", file=sys.stderr)

    def close(self) -> None:
        """The work is done, or given up: the bar goes."""
        self.over.set()
        if self.bar is not None:
            self.bar.close()

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def track(items: Iterable[Of], what: str = "", unit: str = "images", total: int | None = None) -> Iterator[Of]:
    """The items, with a bar that moves on when the work on one is done. `total`: how many, where they do not tell."""
    with Bar(what, len(items) if isinstance(items, Sized) else total, unit) as bar:
        for item in items:
            yield item
            bar.advance()


def notebook_bar(total: int, shown: bool) -> tqdm:
    """A bar of tqdm's as pipelines of diffusers have: in a notebook a widget."""
    from tqdm.auto import tqdm

    return tqdm(total=total, disable=not shown)
