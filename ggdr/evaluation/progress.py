"""Progress: a bar and notes on the terminal while an evaluation works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ggdr.progress import Bar


class Progress:
    """Shows a progress bar, where there is a terminal, and prints notes; does neither unless `shown`."""

    def __init__(self, shown: bool = False):
        """`shown`: False in a notebook that asked for nothing, and on all processes but the first."""
        self.shown = shown
        self.bar = Bar(shown=False)

    @contextmanager
    def work(self, total: int) -> Iterator[None]:
        """Show a bar of `total` images while the context lasts."""
        with Bar("measuring", total, "images", shown=self.shown) as self.bar:
            yield

    def stage(self, name: str) -> None:
        """Write what is being worked on in front of the bar."""
        self.bar.describe(name)

    def advance(self, count: int) -> None:
        """Move the bar by `count` images."""
        self.bar.advance(count)

    def say(self, text: str) -> None:
        """Print a line above the progress bar, if progress is shown."""
        if self.shown:
            self.bar.write(text)

    def warn(self, text: str) -> None:
        """Print a warning to stderr."""
        if self.shown:
            self.bar.warn(text)
