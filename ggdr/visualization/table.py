"""Tables: pictures of any size in rows and columns, as one picture."""

from __future__ import annotations

from collections.abc import Sequence

import PIL.Image
import PIL.ImageOps

MODES = ("L", "RGB", "RGBA")
"""modes that a table may have, each of which holds the ones before it"""


def make_table(
    rows: Sequence[Sequence[PIL.Image.Image | None]], size: tuple[int, int], gap: int = 0
) -> PIL.Image.Image:
    """Pictures in rows, on white: each fills a cell of `size`, width and height in pixels, without being cut.

    Smaller ones are enlarged by repeating their pixels. None leaves a cell empty. `gap`: pixels between cells.
    """
    width, height = size
    pictures = [picture for row in rows for picture in row if picture is not None]
    mode = max((picture.mode for picture in pictures), key=MODES.index)
    columns = max(map(len, rows))
    whole = PIL.Image.new(mode, (columns * (width + gap) - gap, len(rows) * (height + gap) - gap), "white")
    for down, row in enumerate(rows):
        for across, picture in enumerate(row):
            if picture is not None:
                whole.paste(in_cell(picture.convert(mode), size), (across * (width + gap), down * (height + gap)))
    return whole


def in_cell(picture: PIL.Image.Image, size: tuple[int, int]) -> PIL.Image.Image:
    """A picture in the middle of a white cell, as large as fits."""
    larger = picture.width <= size[0] and picture.height <= size[1]
    how = PIL.Image.Resampling.NEAREST if larger else PIL.Image.Resampling.LANCZOS
    return PIL.ImageOps.pad(picture, size, how, "white")
