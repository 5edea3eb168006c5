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

from ggdr.ops.bilinear import grid_sample_backward as plain_spread
from ggdr.ops.kernels import check_close, kernel_state
from ggdr.ops.kernels.tiles import choose_box, element_indices, flat_offset, grid_size, memory_format, needs_int64
from ggdr.ops.warp import Padding, SamplingAxis, SamplingGrid, source_positions


def run(x: Tensor, inverse: Tensor, grid: SamplingGrid, padding: Padding) -> Tensor:
    """Sample x [N, C, h, w] where `inverse` [N, 2 or 3, 3] maps the grid's points to: [N, C, *grid].

    x is float32, bfloat16 or float16, `inverse` takes no gradient, and positions are computed in float32.
    """
    return WarpSample.apply(x, inverse.detach().float().contiguous(), grid, padding)


class WarpSample(Function):
    """Bilinear sampling as an autograd function; its derivative is `WarpSampleBackward`."""

    @staticmethod
    def forward(ctx, x: Tensor, inverse: Tensor, grid: SamplingGrid, padding: Padding) -> Tensor:
        ctx.save_for_backward(inverse)
        ctx.settings = grid, padding, x.shape
        return kernel_state("warp", x.device).attempt(
            lambda: launch_sample(x, inverse, grid, padding), lambda: plain_sample(x, inverse, grid, padding)
        )

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return WarpSampleBackward.apply(gradient, *ctx.saved_tensors, *ctx.settings), None, None, None


class WarpSampleBackward(Function):
    """The adjoint of the sampling as an autograd function; its derivative is `WarpSample`."""

    @staticmethod
    def forward(ctx, y: Tensor, inverse: Tensor, grid: SamplingGrid, padding: Padding, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(inverse)
        ctx.settings = grid, padding
        return kernel_state("warp", y.device).attempt(
            lambda: launch_backward(y, inverse, grid, padding, shape),
            lambda: plain_spread(y, sampling_grid(inverse, grid, shape).to(y.dtype), padding, False, shape),
        )

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return WarpSample.apply(gradient, *ctx.saved_tensors, *ctx.settings), None, None, None, None


def plain_sample(x: Tensor, inverse: Tensor, grid: SamplingGrid, padding: Padding) -> Tensor:
    """Compute `launch_sample` by PyTorch's operators."""
    where = sampling_grid(inverse, grid, x.shape).to(x.dtype)
    return F.grid_sample(x, where, mode="bilinear", padding_mode=padding, align_corners=False)


def sampling_grid(inverse: Tensor, grid: SamplingGrid, shape: torch.Size) -> Tensor:
    """Return the points [N, H, W, 2] at which the kernels sample images of `shape`, in [-1, 1] from edge to edge."""
    x, y = (torch.arange(axis.size, device=inverse.device) * axis.step + axis.start for axis in grid)
    sources = source_positions(inverse, x, y)
    parts = zip(sources, grid, (shape[3], shape[2]), strict=True)
    return torch.stack(
        [(2 * fold_positions(position, axis) + 1) / extent - 1 for position, axis, extent in parts], dim=-1
    )


def fold_positions(position: Tensor, axis: SamplingAxis) -> Tensor:
    """Convert positions in the image to fractional indices of pixels."""
    position = position * axis.scale + axis.shift
    if axis.fold != "none":
        position = position.remainder(axis.period)
    if axis.fold == "mirror":
        position = axis.period / 2 - (position - axis.period / 2).abs()
    return position * axis.rescale + axis.offset


def launch_sample(x: Tensor, inverse: Tensor, grid: SamplingGrid, padding: Padding) -> Tensor:
    """Launch `sample_kernel`; the result has x's memory format."""
    layout = memory_format(x)
    x = x.contiguous(memory_format=layout)
    shape = torch.Size((*x.shape[:2], grid.y.size, grid.x.size))
    y = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=layout)
    launch(sample_kernel, x, y, inverse, grid, padding, layout)
    return y


def launch_backward(y: Tensor, inverse: Tensor, grid: SamplingGrid, padding: Padding, shape: torch.Size) -> Tensor:
    """Launch `sample_backward_kernel`: add each value of y, by weights, to the pixels [*shape] it was sampled from."""
    layout = memory_format(y)
    # float32 whatever y is: many values may meet in one pixel, and atomic additions of halves are slow and lossy
    x = torch.empty(shape, dtype=torch.float32, device=y.device, memory_format=layout).zero_()
    launch(sample_backward_kernel, x, y.contiguous(memory_format=layout), inverse, grid, padding, layout)
    return x.to(y.dtype)


def launch(
    kernel, x: Tensor, y: Tensor, inverse: Tensor, grid: SamplingGrid, padding: Padding, layout: torch.memory_format
) -> None:
    """Launch a kernel over y's boxes; x and y have the memory format `layout`."""
    last = layout == torch.channels_last
    box = choose_box(y.shape, last)
    with torch.cuda.device_of(x):
        kernel[grid_size(y.shape, box)](
            x, y, inverse, inverse.stride(0), *x.shape[1:], *y.shape[2:],
            *grid.x.coefficients(), *grid.y.coefficients(),
            FOLD=grid.x.fold, BORDER=padding == "border",
            DEPTH=box.channels, ROWS=box.rows, COLUMNS=box.columns, LAST=last, WIDE=needs_int64(x, y),
        )  # fmt: skip


@triton.jit
def pixel_index(position, scale, shift, period, rescale, offset, extent, FOLD: tl.constexpr, BORDER: tl.constexpr):
    """Convert positions in the image to the pixel before and the weight of the next one; see `fold_positions`."""
    position = position * scale + shift
    if FOLD != "none":
        position -= tl.floor(position / period) * period
    if FOLD == "mirror":
        position = period / 2 - tl.abs(position - period / 2)
    position = position * rescale + offset
    if BORDER:
        position = tl.minimum(tl.maximum(position, 0.0), extent - 1.0)
    before = tl.floor(position)  # not a cast, which rounds toward zero
    return before.to(tl.int32), position - before


@triton.jit
def source_pixels(
    inverse_at, stride, n, y, x, height, width,
    start_x, step_x, scale_x, shift_x, period_x, rescale_x, offset_x,
    start_y, step_y, scale_y, shift_y, period_y, rescale_y, offset_y,
    FOLD: tl.constexpr, BORDER: tl.constexpr,
):  # fmt: skip
    """Find where the grid's points are sampled: the row and the column before, and the weights of the next ones."""
    row = inverse_at + n * stride
    x, y = start_x + x.to(tl.float32) * step_x, start_y + y.to(tl.float32) * step_y
    from_x = tl.load(row) * x + tl.load(row + 1) * y + tl.load(row + 2)
    from_y = tl.load(row + 3) * x + tl.load(row + 4) * y + tl.load(row + 5)
    left, share_x = pixel_index(from_x, scale_x, shift_x, period_x, rescale_x, offset_x, width, FOLD, BORDER)
    top, share_y = pixel_index(from_y, scale_y, shift_y, period_y, rescale_y, offset_y, height, FOLD, BORDER)
    return top, share_y, left, share_x


@triton.jit
def sample_kernel(
    x_at, y_at, inverse_at, stride, channels, height, width, rows, columns,
    start_x, step_x, scale_x, shift_x, period_x, rescale_x, offset_x,
    start_y, step_y, scale_y, shift_y, period_y, rescale_y, offset_y,
    FOLD: tl.constexpr, BORDER: tl.constexpr,
    DEPTH: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAST: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Compute y [N, channels, rows, columns] from x [N, channels, height, width]."""
    n, c, y, x = element_indices(tl.program_id(0), channels, rows, columns, DEPTH, ROWS, COLUMNS, LAST, WIDE)
    here = (c < channels) & (y < rows) & (x < columns)
    top, share_y, left, share_x = source_pixels(
        inverse_at, stride, n, y, x, height, width,
        start_x, step_x, scale_x, shift_x, period_x, rescale_x, offset_x,
        start_y, step_y, scale_y, shift_y, period_y, rescale_y, offset_y, FOLD, BORDER,
    )  # fmt: skip
    total = tl.zeros([DEPTH * ROWS * COLUMNS], dtype=tl.float32)
    for corner in tl.static_range(4):  # weights of the four pixels sum to 1; those outside count as 0
        row, column = top + corner // 2, left + corner % 2
        weight = (share_y if corner // 2 else 1 - share_y) * (share_x if corner % 2 else 1 - share_x)
        inside = here & (row >= 0) & (row < height) & (column >= 0) & (column < width)
        at = flat_offset(n, c, row, column, channels, height, width, LAST)
        total += weight * tl.load(x_at + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_at + flat_offset(n, c, y, x, channels, rows, columns, LAST), total.to(y_at.dtype.element_ty), mask=here)


@triton.jit
def sample_backward_kernel(
    x_at, y_at, inverse_at, stride, channels, height, width, rows, columns,
    start_x, step_x, scale_x, shift_x, period_x, rescale_x, offset_x,
    start_y, step_y, scale_y, shift_y, period_y, rescale_y, offset_y,
    FOLD: tl.constexpr, BORDER: tl.constexpr,
    DEPTH: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAST: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Add the values of y to the pixels of x that `sample_kernel` reads; x is float32 and zero at first."""
    n, c, y, x = element_indices(tl.program_id(0), channels, rows, columns, DEPTH, ROWS, COLUMNS, LAST, WIDE)
    here = (c < channels) & (y < rows) & (x < columns)
    top, share_y, left, share_x = source_pixels(
        inverse_at, stride, n, y, x, height, width,
        start_x, step_x, scale_x, shift_x, period_x, rescale_x, offset_x,
        start_y, step_y, scale_y, shift_y, period_y, rescale_y, offset_y, FOLD, BORDER,
    )  # fmt: skip
    value = tl.load(y_at + flat_offset(n, c, y, x, channels, rows, columns, LAST), mask=here, other=0.0).to(tl.float32)
    for corner in tl.static_range(4):
        row, column = top + corner // 2, left + corner % 2
        weight = (share_y if corner // 2 else 1 - share_y) * (share_x if corner % 2 else 1 - share_x)
        inside = here & (row >= 0) & (row < height) & (column >= 0) & (column < width)
        at = flat_offset(n, c, row, column, channels, height, width, LAST)
        # relaxed: additions may come in any order, since nothing reads x before the kernel ends
        tl.atomic_add(x_at + at, weight * value, mask=inside, sem="relaxed")


def probe(device: str) -> None:
    """Raise an error where a tiny image is sampled wrongly, or values are added to the wrong pixels."""
    x = torch.linspace(-1, 1, 60, device=device).view(1, 2, 5, 6)
    inverse = torch.tensor([[[0.9, -0.3, 0.4], [0.2, 1.1, -0.3]]], device=device)
    grid = SamplingGrid(
        SamplingAxis(7, -3.0, 1.0, 1.0, 2.5, "mirror", 10.0, 1.0, 0.0),
        SamplingAxis(4, -1.5, 1.0, 1.0, 2.0, "mirror", 8.0, 1.0, 0.0),
    )
    y = launch_sample(x, inverse, grid, "border")
    check_close(y, plain_sample(x, inverse, grid, "border"))
    where = sampling_grid(inverse, grid, x.shape)
    check_close(launch_backward(y, inverse, grid, "border", x.shape), plain_spread(y, where, "border", False, x.shape))
