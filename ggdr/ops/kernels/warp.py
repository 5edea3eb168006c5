"""Bilinear sampling at the points of an affine warp, which are computed on the way, and its adjoint, in Triton.

Sampling is linear in the image: its derivative is the adjoint (atomic additions in float32), whose derivative is the
sampling. Checked by Triton's interpreter; its speed on a GPU has not been measured.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional as F

from ggdr.ops.bilinear import spread as plain_spread
from ggdr.ops.kernels import agree, state
from ggdr.ops.kernels.tiles import box_of, memory_format, offset, place, programs, wide
from ggdr.ops.warp import Axis, Lattice, Padding, source


def run(x: Tensor, inverse: Tensor, lattice: Lattice, padding: Padding) -> Tensor:
    """x [N, C, h, w] read where `inverse` [N, 2 or 3, 3] says the lattice's points come from: [N, C, *lattice].

    x is float32, bfloat16 or float16, `inverse` takes no gradient, and positions are computed in float32.
    """
    return Read.apply(x, inverse.detach().float().contiguous(), lattice, padding)


class Read(Function):
    """Bilinear sampling; its derivative is `Spread`."""

    @staticmethod
    def forward(ctx, x: Tensor, inverse: Tensor, lattice: Lattice, padding: Padding) -> Tensor:
        ctx.save_for_backward(inverse)
        ctx.settings = lattice, padding, x.shape
        return state("warp", x.device).attempt(
            lambda: read(x, inverse, lattice, padding), lambda: plain_read(x, inverse, lattice, padding)
        )

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return Spread.apply(gradient, *ctx.saved_tensors, *ctx.settings), None, None, None


class Spread(Function):
    """The adjoint; its derivative is `Read`."""

    @staticmethod
    def forward(ctx, y: Tensor, inverse: Tensor, lattice: Lattice, padding: Padding, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(inverse)
        ctx.settings = lattice, padding
        return state("warp", y.device).attempt(
            lambda: spread(y, inverse, lattice, padding, shape),
            lambda: plain_spread(y, grid(inverse, lattice, shape).to(y.dtype), padding, False, shape),
        )

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return Read.apply(gradient, *ctx.saved_tensors, *ctx.settings), None, None, None, None


def plain_read(x: Tensor, inverse: Tensor, lattice: Lattice, padding: Padding) -> Tensor:
    """What `read` computes, by torch."""
    where = grid(inverse, lattice, x.shape).to(x.dtype)
    return F.grid_sample(x, where, mode="bilinear", padding_mode=padding, align_corners=False)


def grid(inverse: Tensor, lattice: Lattice, shape: torch.Size) -> Tensor:
    """The points [N, H, W, 2] that the kernels read images of `shape` at, edges at -1 and 1."""
    x, y = (torch.arange(axis.size, device=inverse.device) * axis.step + axis.start for axis in lattice)
    sources = source(inverse, x, y)
    parts = zip(sources, lattice, (shape[3], shape[2]), strict=True)
    return torch.stack([(2 * folded(place, axis) + 1) / side - 1 for place, axis, side in parts], dim=-1)


def folded(place: Tensor, axis: Axis) -> Tensor:
    """Positions in the image to fractional indices of pixels."""
    place = place * axis.scale + axis.shift
    if axis.fold != "none":
        place = place.remainder(axis.period)
    if axis.fold == "mirror":
        place = axis.period / 2 - (place - axis.period / 2).abs()
    return place * axis.rescale + axis.offset


def read(x: Tensor, inverse: Tensor, lattice: Lattice, padding: Padding) -> Tensor:
    """Launch `read_kernel`; the result lies in memory as x does."""
    layout = memory_format(x)
    x = x.contiguous(memory_format=layout)
    shape = torch.Size((*x.shape[:2], lattice.y.size, lattice.x.size))
    y = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=layout)
    launch(read_kernel, x, y, inverse, lattice, padding, layout)
    return y


def spread(y: Tensor, inverse: Tensor, lattice: Lattice, padding: Padding, shape: torch.Size) -> Tensor:
    """Launch `spread_kernel`: each value of y goes back, in shares, to the pixels [*shape] it is read from."""
    layout = memory_format(y)
    x = torch.empty(shape, dtype=torch.float32, device=y.device, memory_format=layout).zero_()
    launch(spread_kernel, x, y.contiguous(memory_format=layout), inverse, lattice, padding, layout)
    return x.to(y.dtype)


def launch(
    kernel, x: Tensor, y: Tensor, inverse: Tensor, lattice: Lattice, padding: Padding, layout: torch.memory_format
) -> None:
    """Launch a kernel over y's boxes; x and y lie in memory as `layout` says."""
    last = layout == torch.channels_last
    box = box_of(y.shape, last)
    with torch.cuda.device_of(x):
        kernel[programs(y.shape, box)](
            x, y, inverse, inverse.stride(0), *x.shape[1:], *y.shape[2:], *lattice.x.numbers(), *lattice.y.numbers(),
            FOLD=lattice.x.fold, BORDER=padding == "border",
            DEPTH=box.channels, ROWS=box.rows, COLUMNS=box.columns, LAST=last, WIDE=wide(x, y),
        )  # fmt: skip


@triton.jit
def index(place, scale, shift, period, rescale, offset, side, FOLD: tl.constexpr, BORDER: tl.constexpr):
    """Positions in the image to the pixel before, and the next one's share; as `folded`."""
    place = place * scale + shift
    if FOLD != "none":
        place -= tl.floor(place / period) * period
    if FOLD == "mirror":
        place = period / 2 - tl.abs(place - period / 2)
    place = place * rescale + offset
    if BORDER:
        place = tl.minimum(tl.maximum(place, 0.0), side - 1.0)
    before = tl.floor(place)
    return before.to(tl.int32), place - before


@triton.jit
def source_of(
    inverse_at, stride, n, y, x, height, width,
    start_x, step_x, scale_x, shift_x, period_x, rescale_x, offset_x,
    start_y, step_y, scale_y, shift_y, period_y, rescale_y, offset_y,
    FOLD: tl.constexpr, BORDER: tl.constexpr,
):  # fmt: skip
    """Where the lattice's points are read: the row and the column before, and the shares of the next ones."""
    row = inverse_at + n * stride
    x, y = start_x + x.to(tl.float32) * step_x, start_y + y.to(tl.float32) * step_y
    from_x = tl.load(row) * x + tl.load(row + 1) * y + tl.load(row + 2)
    from_y = tl.load(row + 3) * x + tl.load(row + 4) * y + tl.load(row + 5)
    left, share_x = index(from_x, scale_x, shift_x, period_x, rescale_x, offset_x, width, FOLD, BORDER)
    top, share_y = index(from_y, scale_y, shift_y, period_y, rescale_y, offset_y, height, FOLD, BORDER)
    return top, share_y, left, share_x


@triton.jit
def read_kernel(
    x_at, y_at, inverse_at, stride, channels, height, width, rows, columns,
    start_x, step_x, scale_x, shift_x, period_x, rescale_x, offset_x,
    start_y, step_y, scale_y, shift_y, period_y, rescale_y, offset_y,
    FOLD: tl.constexpr, BORDER: tl.constexpr,
    DEPTH: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAST: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """y [N, channels, rows, columns] of x [N, channels, height, width]."""
    n, c, y, x = place(tl.program_id(0), channels, rows, columns, DEPTH, ROWS, COLUMNS, LAST, WIDE)
    here = (c < channels) & (y < rows) & (x < columns)
    top, share_y, left, share_x = source_of(
        inverse_at, stride, n, y, x, height, width,
        start_x, step_x, scale_x, shift_x, period_x, rescale_x, offset_x,
        start_y, step_y, scale_y, shift_y, period_y, rescale_y, offset_y, FOLD, BORDER,
    )  # fmt: skip
    total = tl.zeros([DEPTH * ROWS * COLUMNS], dtype=tl.float32)
    for corner in tl.static_range(4):
        row, column = top + corner // 2, left + corner % 2
        weight = (share_y if corner // 2 else 1 - share_y) * (share_x if corner % 2 else 1 - share_x)
        inside = here & (row >= 0) & (row < height) & (column >= 0) & (column < width)
        at = offset(n, c, row, column, channels, height, width, LAST)
        total += weight * tl.load(x_at + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_at + offset(n, c, y, x, channels, rows, columns, LAST), total.to(y_at.dtype.element_ty), mask=here)


@triton.jit
def spread_kernel(
    x_at, y_at, inverse_at, stride, channels, height, width, rows, columns,
    start_x, step_x, scale_x, shift_x, period_x, rescale_x, offset_x,
    start_y, step_y, scale_y, shift_y, period_y, rescale_y, offset_y,
    FOLD: tl.constexpr, BORDER: tl.constexpr,
    DEPTH: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAST: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """What `read_kernel` reads from x, added from y to x, which is float32 and zero at first."""
    n, c, y, x = place(tl.program_id(0), channels, rows, columns, DEPTH, ROWS, COLUMNS, LAST, WIDE)
    here = (c < channels) & (y < rows) & (x < columns)
    top, share_y, left, share_x = source_of(
        inverse_at, stride, n, y, x, height, width,
        start_x, step_x, scale_x, shift_x, period_x, rescale_x, offset_x,
        start_y, step_y, scale_y, shift_y, period_y, rescale_y, offset_y, FOLD, BORDER,
    )  # fmt: skip
    value = tl.load(y_at + offset(n, c, y, x, channels, rows, columns, LAST), mask=here, other=0.0).to(tl.float32)
    for corner in tl.static_range(4):
        row, column = top + corner // 2, left + corner % 2
        weight = (share_y if corner // 2 else 1 - share_y) * (share_x if corner % 2 else 1 - share_x)
        inside = here & (row >= 0) & (row < height) & (column >= 0) & (column < width)
        at = offset(n, c, row, column, channels, height, width, LAST)
        tl.atomic_add(x_at + at, weight * value, mask=inside, sem="relaxed")


def probe(device: str) -> None:
    """Raise where a tiny image is read wrongly, or values are spread wrongly."""
    x = torch.linspace(-1, 1, 60, device=device).view(1, 2, 5, 6)
    inverse = torch.tensor([[[0.9, -0.3, 0.4], [0.2, 1.1, -0.3]]], device=device)
    wave = Axis(7, -3.0, 1.0, 1.0, 2.5, "mirror", 10.0, 1.0, 0.0), Axis(4, -1.5, 1.0, 1.0, 2.0, "mirror", 8.0, 1.0, 0.0)
    lattice = Lattice(*wave)
    y = read(x, inverse, lattice, "border")
    agree(y, plain_read(x, inverse, lattice, "border"))
    where = grid(inverse, lattice, x.shape)
    agree(spread(y, inverse, lattice, "border", x.shape), plain_spread(y, where, "border", False, x.shape))
