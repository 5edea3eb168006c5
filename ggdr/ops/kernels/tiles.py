"""How kernels walk over images: each program takes a box of channels, rows and columns of one sample."""

from __future__ import annotations

from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

ELEMENTS = 1024
"""of a box, at most"""
NARROW = 2**31 - 2**20
"""elements of a tensor up to which positions fit into 32 bits, with room for the last box"""


class Box(NamedTuple):
    """Channels, rows and columns of a box, powers of two."""

    channels: int
    rows: int
    columns: int


def memory_format(x: Tensor) -> torch.memory_format:
    """Channels last if x [N, C, H, W] lies so and not the usual way as well, else contiguous."""
    if x.ndim == 4 and not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last):
        return torch.channels_last
    return torch.contiguous_format


def box_of(shape: torch.Size, last: bool) -> Box:
    """The box for images [N, C, H, W]: long where memory is, and square enough for neighbours to be read once."""
    _, channels, height, width = (triton.next_power_of_2(size) for size in shape)
    if last:
        depth = min(channels, 64)
        columns = min(width, 8)
        rows = min(height, ELEMENTS // (depth * columns))
        return Box(depth, rows, columns)
    columns = min(width, 64)
    rows = min(height, ELEMENTS // columns)
    return Box(min(channels, ELEMENTS // (rows * columns)), rows, columns)


def programs(shape: torch.Size, box: Box) -> tuple[int]:
    """The grid of programs whose boxes cover images [N, C, H, W]."""
    samples, *sizes = shape
    count = samples
    for size, side in zip(sizes, box, strict=True):
        count *= triton.cdiv(size, side)
    return (count,)


def wide(*tensors: Tensor) -> bool:
    """Whether a kernel that reads and writes these tensors needs positions of 64 bits; they are slower."""
    return max(tensor.numel() for tensor in tensors) > NARROW


@triton.jit
def place(
    program, channels, height, width,
    DEPTH: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAST: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """A program's sample, and the channel, row and column of each element of its box.

    The sample has 64 bits where positions need them (`wide`); whatever is computed with it then has as well.
    """
    lane = tl.arange(0, DEPTH * ROWS * COLUMNS)
    if LAST:
        c, x, y = lane % DEPTH, lane // DEPTH % COLUMNS, lane // (DEPTH * COLUMNS)
    else:
        x, y, c = lane % COLUMNS, lane // COLUMNS % ROWS, lane // (COLUMNS * ROWS)
    across, down, deep = tl.cdiv(width, COLUMNS), tl.cdiv(height, ROWS), tl.cdiv(channels, DEPTH)
    x += program % across * COLUMNS
    y += program // across % down * ROWS
    c += program // (across * down) % deep * DEPTH
    n = program // (across * down * deep)
    if WIDE:
        n = n.to(tl.int64)
    return n, c, y, x


@triton.jit
def line(program, BLOCK: tl.constexpr, WIDE: tl.constexpr):
    """The positions of a program's `BLOCK` elements, where a tensor is taken as one line; 64 bits where `wide`."""
    if WIDE:
        program = program.to(tl.int64)
    return program * BLOCK + tl.arange(0, BLOCK)


@triton.jit
def offset(n, c, y, x, channels, height, width, LAST: tl.constexpr):
    """Where an element of dense images lies, in elements from the first."""
    if LAST:
        return ((n * height + y) * width + x) * channels + c
    return ((n * channels + c) * height + y) * width + x
