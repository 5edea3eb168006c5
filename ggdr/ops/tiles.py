"""Large images are made in tiles, which overlap and are blended where they do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class Tiling(NamedTuple):
    """How images of one size are cut, pixels; all are multiples of `step`."""

    height: int
    """height of a tile"""
    width: int
    """width of a tile"""
    overlap: int
    """how far neighbours overlap, about; half a tile at most"""
    step: int
    """tiles begin at multiples of it"""


@torch.no_grad()
def in_tiles(make: Callable[[Tensor], Tensor], images: Tensor, tiling: Tiling) -> Tensor:
    """What `make` does to images [N, C, H, W], tile after tile: [N, K, r H, r W], where it makes r times as much.

    Neighbours fade into each other. H and W are multiples of the step; images that are no larger than a tile are made
    at once, as they are.
    """
    rows = tile_starts(images.shape[2], tiling.height, tiling.overlap, tiling.step)
    columns = tile_starts(images.shape[3], tiling.width, tiling.overlap, tiling.step)
    if len(rows) == len(columns) == 1:
        return make(images)
    total, weight = torch.empty(0), torch.empty(0)
    for top in rows:
        for left in columns:
            made = make(images[:, :, top : top + tiling.height, left : left + tiling.width]).float()
            height, width = made.shape[2:]
            if not total.numel():
                size = [images.shape[2] * height // tiling.height, images.shape[3] * width // tiling.width]
                total, weight = made.new_zeros(*made.shape[:2], *size), made.new_zeros(size)
            down, across = top * height // tiling.height, left * width // tiling.width
            overlap = tiling.overlap * height // tiling.height
            window = fade(height, overlap).outer(fade(width, overlap)).to(made.device)
            total[:, :, down : down + height, across : across + width] += made * window
            weight[down : down + height, across : across + width] += window
    return total / weight


def tile_starts(size: int, tile: int, overlap: int, step: int) -> list[int]:
    """Where tiles begin along a side of `size` pixels, evenly spread, multiples of `step`, none of them needless."""
    if size <= tile:
        return [0]
    count = math.ceil((size - overlap) / (tile - overlap))
    return [place * (size - tile) // (count - 1) // step * step for place in range(count)]


def fade(size: int, overlap: int) -> Tensor:
    """Weights [size] of a tile along a side: they rise from its ends over the overlap, and are never 0."""
    from_end = torch.minimum(torch.arange(1, size + 1), torch.arange(size, 0, -1))
    return (from_end / (overlap + 1)).clamp(max=1)


def pad_to(images: Tensor, height: int, width: int) -> Tensor:
    """Images [N, C, H, W] with margins below and to the right, which mirror them, or repeat the edge of small ones."""
    below, right = height - images.shape[2], width - images.shape[3]
    mirrors = below < images.shape[2] and right < images.shape[3]
    return F.pad(images, (0, right, 0, below), mode="reflect" if mirrors else "replicate")
