"""Tokens: how an image becomes a row of vectors and comes back, and how each is told its place."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ggdr.errors import UserError

THETA = 10_000.0
"""ratio of the slowest to the fastest wave that tell places"""


def check_patches(height: int, width: int, patch: int, name: str) -> tuple[int, int]:
    """Return rows and columns of an image's patches (pixels); UserError if sides are no multiples of theirs.

    `name`: of the network.
    """
    if height % patch or width % patch:
        near = [max(round(side / patch), 1) * patch for side in (height, width)]
        raise UserError(
            f"{name!r} cuts images into patches of {patch} px, and sides of {height} x {width} px are no multiples of"
            f" that: set its patch, or resize the images, --data.size {near[0]} {near[1]}."
        )
    return height // patch, width // patch


def to_patches(image: Tensor, patch: int) -> Tensor:
    """Cut image [N, C, H, W] into patches [N, T, C * patch * patch], row by row."""
    return F.pixel_unshuffle(image, patch).flatten(2).transpose(1, 2)


def to_image(patches: Tensor, patch: int, rows: int) -> Tensor:
    """Lay patches [N, T, C * patch * patch] in as many rows: images [N, C, H, W]."""
    return F.pixel_shuffle(to_map(patches, rows), patch)


def to_map(tokens: Tensor, rows: int) -> Tensor:
    """Lay tokens [N, T, C] in as many rows: a map [N, C, rows, T / rows], which shares their memory."""
    return tokens.transpose(1, 2).unflatten(2, (rows, -1))


def waves(places: Tensor, count: int) -> Tensor:
    """Return angles [P, count] of places [P], the fastest wave first, the slowest nearly THETA times slower."""
    return places[:, None] * THETA ** -(torch.arange(count) / count)


def sine_codes(rows: int, columns: int, width: int) -> Tensor:
    """Return fixed codes [rows * columns, width] of places: sines and cosines, of the column, then of the row.

    As masked autoencoders have them (He et al. 2022, arXiv 2111.06377); `width`: a multiple of 4.
    """

    def of(count: int) -> Tensor:
        angles = waves(torch.arange(count), width // 4)
        return torch.cat([angles.sin(), angles.cos()], dim=1)

    across, down = of(columns).expand(rows, -1, -1), of(rows)[:, None].expand(-1, columns, -1)
    return torch.cat([across, down], dim=2).flatten(0, 1)


def rotary_angles(rows: int, columns: int, width: int) -> Tensor:
    """Return angles [rows * columns, width / 2] by which queries and keys of `width` turn: half by row, half by column.

    (Su et al. 2021, arXiv 2104.09864; in two dimensions Fang et al. 2023, arXiv 2303.11331.) `width`: a multiple of 4.
    """
    down, across = waves(torch.arange(rows), width // 4), waves(torch.arange(columns), width // 4)
    return torch.cat([down[:, None].expand(-1, columns, -1), across.expand(rows, -1, -1)], dim=2).flatten(0, 1)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn x [..., T, D] by the angles whose cosines and sines [T, D / 2] are given: x[i] together with x[D / 2 + i].

    Tokens before the last T are left as they are.
    """
    plain, x = x.tensor_split([x.shape[-2] - cos.shape[0]], dim=-2)
    a, b = x.chunk(2, dim=-1)
    turned = torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)
    return torch.cat([plain.to(turned.dtype), turned], dim=-2)
