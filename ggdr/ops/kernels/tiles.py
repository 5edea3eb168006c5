"""How kernels cover images: each program takes a box of channels, rows and columns of one sample."""

from __future__ import annotations

from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

BOX_ELEMENTS = 1024
"""Largest number of elements in a box."""
INT32_ELEMENTS = 2**31 - 2**20
"""Number of elements of a tensor up to which 32-bit offsets are enough, with room for the last box."""


class Box(NamedTuple):
    """Channels, rows and columns of a box, each a power of two."""

    channels: int
    rows: int
    columns: int


def memory_format(x: Tensor) -> torch.memory_format:
    """Return channels last if x [N, C, H, W] is in that order only, else contiguous."""
    if x.ndim == 4 and not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last):
        return torch.channels_last
    return torch.contiguous_format


def choose_box(shape: torch.Size, last: bool) -> Box:
    """Choose the box for images [N, C, H, W]: long along memory, and square enough for neighbours to be read once."""
    _, channels, height, width = (triton.next_power_of_2(size) for size in shape)
    if last:  # memory runs along channels, then columns: whole cache lines of channels
        depth = min(channels, 64)
        columns = min(width, 8)
        rows = min(height, BOX_ELEMENTS // (depth * columns))
        return Box(depth, rows, columns)
    columns = min(width, 64)
    rows = min(height, BOX_ELEMENTS // columns)
    return Box(min(channels, BOX_ELEMENTS // (rows * columns)), rows, columns)


def grid_size(shape: torch.Size, box: Box) -> tuple[int]:
    """Return the number of programs whose boxes cover images [N, C, H, W], as Triton takes it."""
    samples, *sizes = shape
    count = samples
    for size, extent in zip(sizes, box, strict=True):
        count *= triton.cdiv(size, extent)
    return (count,)


def needs_int64(*tensors: Tensor) -> bool:
    """Whether a kernel that reads and writes these tensors needs 64-bit offsets, which are slower."""
    return max(tensor.numel() for tensor in tensors) > INT32_ELEMENTS


@triton.jit
def element_indices(
    program, channels, height, width,
    DEPTH: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAST: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Return a program's sample, and the channel, row and column of each element of its box.

    The sample has 64 bits where offsets need them (`needs_int64`); all that is computed with it then has them too.
    """
    lane = tl.arange(0, DEPTH * ROWS * COLUMNS)
    # neighbouring lanes take neighbouring addresses, so that loads and stores coalesce
    if LAST:
        c, x, y = lane % DEPTH, lane // DEPTH % COLUMNS, lane // (DEPTH * COLUMNS)
    else:
        x, y, c = lane % COLUMNS, lane // COLUMNS % ROWS, lane // (COLUMNS * ROWS)
    across, down, deep = tl.cdiv(width, COLUMNS), tl.cdiv(height, ROWS), tl.cdiv(channels, DEPTH)
    x += program % across * COLUMNS
    y += program // across % down * ROWS
    c += program // (across * down) % deep * DEPTH
    n = program // (across * down * deep)
    if WIDE:  # only n: products with it are 64 bits wide then, while c, y and x stay cheap
        n = n.to(tl.int64)
    return n, c, y, x


@triton.jit
def flat_indices(program, BLOCK: tl.constexpr, WIDE: tl.constexpr):
    """Return the indices of a program's `BLOCK` elements in a flat tensor; 64 bits if WIDE."""
    if WIDE:
        program = program.to(tl.int64)
    return program * BLOCK + tl.arange(0, BLOCK)


@triton.jit
def flat_offset(n, c, y, x, channels, height, width, LAST: tl.constexpr):
    """Return the offset of an element of dense images, in elements from the first."""
    if LAST:
        return ((n * height + y) * width + x) * channels + c
    return ((n * channels + c) * height + y) * width + x
