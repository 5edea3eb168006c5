"""What a command says while it works: a progress bar where there is a terminal, lines, and warnings."""

from __future__ import annotations

import sys

from tqdm import tqdm


class Console:
    """Speaks for one process of several, the others being silent."""

    def __init__(self, talks: bool):
        self.talks, self.warnings = talks, list[str]()
        self.bar: tqdm = tqdm(disable=True)

    def start(self, total: int) -> None:
        """Show a bar of `total` units of work, if there is a terminal."""
        self.bar = tqdm(total=total, unit=" images", leave=False, disable=None if self.talks else True)

    def stage(self, name: str) -> None:
        """Name what is going on."""
        self.bar.set_description_str(name)

    def advance(self, count: int) -> None:
        """Move the bar on."""
        self.bar.update(count)

    def say(self, text: str) -> None:
        """Print a line."""
        if self.talks:
            tqdm.write(text)

    def warn(self, text: str) -> None:
        """Print a warning, once, and remember it."""
        if text not in self.warnings:
            self.warnings.append(text)
            if self.talks:
                tqdm.write(f"ggdr: warning: {text}", file=sys.stderr)

    def close(self) -> None:
        """Take the bar away."""
        self.bar.close()
