"""Where files that can be made or fetched again are kept between runs, and how they are written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile


def cache_folder() -> Path:
    """`$GGDR_CACHE`, or `ggdr` under the user's cache folder; it need not exist yet."""
    if own := os.environ.get("GGDR_CACHE"):
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "ggdr"


def write_whole(file: Path, write: Callable[[Path], object]) -> Path:
    """`file`, as `write` makes it under another name beside it: never seen half written; the last writer wins.

    OSError if the disk refuses.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=file.parent, prefix=f".{file.stem}-", suffix=file.suffix, delete=False) as aside:
        pass
    try:
        write(Path(aside.name))
        os.chmod(aside.name, 0o644)
        os.replace(aside.name, file)
    finally:
        Path(aside.name).unlink(missing_ok=True)
    return file
