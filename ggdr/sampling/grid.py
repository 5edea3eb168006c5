"""Batches of images as one picture: float to uint8 at the door, tiles in a grid, a PNG that is never half written."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ggdr import folders
from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch

if TYPE_CHECKING:
    import PIL.Image

    from ggdr.networks.base import ImageSpec

LEAST_PX = 600
"""the longer side that a grid is enlarged to at least"""
GAP_PX = 2
"""white between images, without which neighbours run into each other"""


def to_uint8(image: Tensor) -> Tensor:
    """Images of any shape in [-1, 1] to uint8, rounded and clamped; NaN becomes black."""
    return image.float().add(1).mul(127.5).nan_to_num(nan=0.0).round().clamp(0, 255).to(torch.uint8)


def as_data(made: Tensor, spec: ImageSpec) -> Tensor:
    """What a network of `spec` made, as data sets hold it: uint8, or, of continuous data, float32 as it is."""
    return made.float() if spec.continuous else to_uint8(made)


def to_pil(images: Tensor) -> list[PIL.Image.Image]:
    """Images uint8 [N, C, H, W] as PIL images of mode L, RGB or RGBA; UserError if C is not 1, 3 or 4."""
    from PIL import Image

    if images.shape[1] not in (1, 3, 4):
        raise UserError(
            f"images of {images.shape[1]} channels are no pictures, which have 1, 3 or 4: take them as numbers, by"
            " output_type='np' or 'pt' of the pipeline, or as a grid, which shows what it can."
        )
    return [Image.fromarray(image.squeeze(2).numpy()) for image in images.cpu().permute(0, 2, 3, 1)]


def grid_columns(count: int, height: int, width: int) -> int:
    """Columns that make `count` tiles of height x width near-square, without empty cells if that is near."""
    least = max(1, math.ceil(math.sqrt(count * height / width)))
    full = (columns for columns in range(least, least * 3 // 2 + 1) if count % columns == 0)
    return min(count, next(full, least))


def display_channels(channels: int) -> int:
    """How many of an image's channels a picture shows: gray, RGB or RGBA; of two the first, of five and more three."""
    return {1: 1, 2: 1, 4: 4}.get(channels, 3)


def picture(images: Tensor, classes: int = 0) -> Tensor:
    """Images as networks see them, as pictures uint8 [N, C, H, W], C 1, 3 or 4; label maps in a colour for each class.

    Vectors [N, K, 1, 1] become gray tiles, a pixel for each number, row by row.

    `classes`: K of one-hot maps [N, K, H, W], whose ignored pixels are black, as those that a further channel marks,
    such as the edges of instances; 0: they are images.
    """
    if not classes:
        shown = tiles(images, -1)
        return to_uint8(shown[:, : display_channels(shown.shape[1])])
    turn = torch.arange(1, classes + 1, device=images.device)[:, None] * 0.618034  # hues far apart, as many as asked
    hues = (turn + torch.arange(3, device=images.device) / 3).frac()
    colours = (hues.sub(0.5).abs().mul(6).sub(1)).clamp(0, 1).mul(200).add(55)
    drawn = torch.einsum("nkhw,kc->nchw", images[:, :classes].float(), colours)
    marked = images[:, classes:].sum(1, keepdim=True) > 0
    return drawn.masked_fill(marked, 0).round().to(torch.uint8)


def tiles(images: Tensor, blank: int) -> Tensor:
    """Vectors [N, K, 1, 1], K above 4, as gray images [N, 1, h, w], near-square, row by row; other images as they are.

    `blank`: the value of pixels that are left over.
    """
    count = images.shape[1]
    if images.shape[2:] != (1, 1) or count <= 4:
        return images
    near = math.isqrt(count)
    # of numbers that no near-square holds, such as 166, the last row has fewer
    rows = next((side for side in range(near, max(1, near // 2), -1) if count % side == 0), near)
    columns = math.ceil(count / rows)
    padded = torch.nn.functional.pad(images.flatten(1), (0, rows * columns - count), value=blank)
    return padded.view(-1, 1, rows, columns)


def side_by_side(columns: Sequence[Tensor]) -> Tensor:
    """Pictures uint8 [N, C, H, W] of several kinds as one batch [N * kinds, C', H', W'], for a grid of as many columns.

    Gray ones become colour beside colour; all take the largest size, by repeating pixels where they are smaller.
    """
    height, width = (max(images.shape[axis] for images in columns) for axis in (2, 3))
    channels = max(images.shape[1] for images in columns)
    alike = []
    for images in columns:
        if images.shape[2:] != (height, width):
            images = torch.nn.functional.interpolate(images, (height, width), mode="nearest")
        if images.shape[1] == 1 < channels:
            images = images.repeat(1, 3, 1, 1)
        if images.shape[1] < channels:  # three of four: opaque
            images = torch.cat([images, torch.full_like(images[:, :1], 255)], 1)
        alike.append(images.cpu())
    return torch.stack(alike, 1).flatten(0, 1)


def make_grid(images: Tensor, columns: int | None = None, scale: int | None = None) -> Tensor:
    """Images uint8 [N, C, H, W] as one picture [rows * H', columns * W', 1, 3 or 4], row by row, on white; vectors as
    gray tiles.

    `columns` None: near-square. `scale`: whole factor of enlargement, nearest neighbour; None: until the picture's
    longer side has 600 px. ValueError without an image.
    """
    if images.ndim != 4 or not len(images):
        raise ValueError(f"a grid is made of uint8 images [N, C, H, W]; given {images.dtype} {list(images.shape)}.")
    images = tiles(images, 0)
    count, channels, height, width = images.shape
    columns = columns or grid_columns(count, height, width)
    rows = math.ceil(count / columns)
    scale = scale or math.ceil(LEAST_PX / max(rows * height, columns * width))
    shown = images.detach()[:, : display_channels(channels)].cpu()
    shown = shown.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    cells = shown.new_full((rows * columns, shown.shape[1], height * scale + GAP_PX, width * scale + GAP_PX), 255)
    cells[:count, :, :-GAP_PX, :-GAP_PX] = shown
    whole = cells.unflatten(0, (rows, columns)).permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)
    return whole[:-GAP_PX, :-GAP_PX].contiguous()


def save_grid(images: Tensor, path: Path, columns: int | None = None, scale: int | None = None) -> None:
    """Save images uint8 [N, C, H, W] as a PNG, laid out as in `make_grid`; it says that it is no data."""
    from PIL import Image

    save_png(Image.fromarray(make_grid(images, columns, scale).squeeze(2).numpy()), Path(path), folders.SHEET)


def save_png(image: PIL.Image.Image, path: Path, software: str = folders.SOFTWARE) -> None:
    """Save a picture, whole or not at all; `software`: what it says it was made by."""
    from PIL.PngImagePlugin import PngInfo

    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished, about = path.with_name(f".{path.name}.part"), PngInfo()
    about.add_text("Software", software)
    image.save(unfinished, format="PNG", pnginfo=about)
    os.replace(unfinished, path)
