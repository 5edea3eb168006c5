"""Batches of images as one picture: float to uint8 at the door, tiles in a grid, a PNG that is never half written."""

from __future__ import annotations

import math
import os
from pathlib import Path

from ggdr.lazy import Tensor, torch

SIDE_PX = 600
"""the longer side that a grid is enlarged to at least"""


def to_uint8(image: Tensor) -> Tensor:
    """Images of any shape in [-1, 1] to uint8, rounded and clamped; NaN becomes black."""
    return image.float().add(1).mul(127.5).nan_to_num(nan=0.0).round().clamp(0, 255).to(torch.uint8)


def columns_for(count: int, height: int, width: int) -> int:
    """Columns that make `count` tiles of height x width near-square, without empty cells if that is near."""
    least = max(1, math.ceil(math.sqrt(count * height / width)))
    full = (columns for columns in range(least, least * 3 // 2 + 1) if count % columns == 0)
    return min(count, next(full, least))


def tile(images: Tensor, columns: int | None = None) -> Tensor:
    """Images uint8 [N, C, H, W] as one picture [rows * H, columns * W, 1, 3 or 4], row by row; empty cells are zero.

    Of two channels the first is shown, of five and more the first three. ValueError if there is nothing to show.
    """
    if images.ndim != 4 or not len(images):
        raise ValueError(f"a grid is made of uint8 images [N, C, H, W]; given {images.dtype} {list(images.shape)}.")
    shown = images.shape[1] if images.shape[1] in (1, 3, 4) else 1 if images.shape[1] == 2 else 3
    images = images.detach()[:, :shown].cpu()
    count, channels, height, width = images.shape
    columns = columns or columns_for(count, height, width)
    rows = math.ceil(count / columns)
    cells = images.new_zeros(rows * columns, channels, height, width)
    cells[:count] = images
    picture = cells.unflatten(0, (rows, columns)).permute(0, 3, 1, 4, 2)
    return picture.reshape(rows * height, columns * width, channels)


def enlarge(picture: Tensor, scale: int | None = None) -> Tensor:
    """Picture [H, W, C] enlarged by an integer factor, nearest neighbour; None: until its longer side has 600 px."""
    scale = scale or max(1, math.ceil(SIDE_PX / max(picture.shape[:2])))
    return picture.repeat_interleave(scale, 0).repeat_interleave(scale, 1)


def save_grid(images: Tensor, path: Path, columns: int | None = None, scale: int | None = None) -> None:
    """Save images uint8 [N, C, H, W] as a PNG grid, for a person to look at.

    `columns` None: near-square; `scale` None: enlarged until the longer side has 600 px. ValueError without an image.
    """
    from PIL import Image

    path = Path(path)
    picture = enlarge(tile(images, columns), scale)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    Image.fromarray(picture.squeeze(2).numpy()).save(unfinished, format="PNG")
    os.replace(unfinished, path)
