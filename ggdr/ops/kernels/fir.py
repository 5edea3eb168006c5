"""Zero insertion, padding, filtering and decimation in one pass over memory, in Triton.

The derivative is the same with up and down exchanged and the filter reversed, so one kernel serves every order. Checked
by Triton's interpreter; its speed on a GPU has not been measured.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd import Function

from ggdr.ops import fir as plain
from ggdr.ops.kernels import check_close, kernel_state
from ggdr.ops.kernels.tiles import choose_box, element_indices, flat_offset, grid_size, memory_format, needs_int64


class FilterAxis(NamedTuple):
    """What happens along an axis: sample o is the sum over k of taps[k] * padded[o * down + k]."""

    taps: tuple[float, ...]
    """Filter taps in reversed order, so that they are read from the left."""
    up: int
    down: int
    before: int
    """Number of samples added (negative: cut) ahead of the first."""
    size: int
    """Number of samples in the result."""

    def adjoint(self, size: int) -> FilterAxis:
        """Return the derivative's axis, from this one's results to its `size` input samples."""
        # the transpose of a banded matrix: inserted zeros and skipped samples exchange roles
        return FilterAxis(self.taps[::-1], self.down, self.up, len(self.taps) - 1 - self.before, size)

    def after(self, size: int) -> int:
        """Return the number of samples to add behind the last of `size` inputs, so that `self.size` come out."""
        return (self.size - 1) * self.down + len(self.taps) - size * self.up - self.before


def run(
    x: Tensor,
    taps_x: tuple[float, ...],
    taps_y: tuple[float, ...],
    up: plain.Pair,
    down: plain.Pair,
    padding: plain.Padding,
    gain: float,
) -> Tensor:
    """Run one pass of `ggdr.ops.fir` on x [N, C, H, W] of float32, bfloat16 or float16; computed in float32."""
    left, right, top, bottom = padding
    x_axis = make_axis(x.shape[-1], taps_x, up[0], down[0], left, right, gain)
    y_axis = make_axis(x.shape[-2], taps_y, up[1], down[1], top, bottom, 1.0)
    if x.ndim != 4 or min(x_axis.size, y_axis.size) < 1:
        return plain.plain_filter(x, taps_x, taps_y, up, down, padding, gain)
    return FIRFilter.apply(x, x_axis, y_axis)


def make_axis(
    size: int, taps: tuple[float, ...], up: int, down: int, before: int, after: int, gain: float
) -> FilterAxis:
    """Return the axis of `size` samples, with a filter scaled to the sum `gain`."""
    factor = gain / sum(taps)
    left = size * up + before + after - len(taps)
    return FilterAxis(tuple(tap * factor for tap in reversed(taps)), up, down, before, left // down + 1)


class FIRFilter(Function):
    """The filter as an autograd function: linear in x, its derivative is itself along the adjoint axes."""

    @staticmethod
    def forward(ctx, x: Tensor, x_axis: FilterAxis, y_axis: FilterAxis) -> Tensor:
        height, width = x.shape[2:]
        ctx.adjoint = x_axis.adjoint(width), y_axis.adjoint(height)
        return kernel_state("fir", x.device).attempt(
            lambda: launch_filter(x, x_axis, y_axis), lambda: plain_axes_filter(x, x_axis, y_axis)
        )

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return FIRFilter.apply(gradient, *ctx.adjoint), None, None


def plain_axes_filter(x: Tensor, x_axis: FilterAxis, y_axis: FilterAxis) -> Tensor:
    """Compute `launch_filter` by the plain path."""
    sums = [sum(axis.taps) for axis in (x_axis, y_axis)]
    padding = x_axis.before, x_axis.after(x.shape[3]), y_axis.before, y_axis.after(x.shape[2])
    factors = (x_axis.up, y_axis.up), (x_axis.down, y_axis.down)
    taps = x_axis.taps[::-1], y_axis.taps[::-1]
    return plain.plain_filter(x, *taps, *factors, padding, sums[0] * sums[1])


def launch_filter(x: Tensor, x_axis: FilterAxis, y_axis: FilterAxis) -> Tensor:
    """Launch `filter_kernel` on x [N, C, H, W]; the result has x's memory format."""
    layout = memory_format(x)
    x = x.contiguous(memory_format=layout)
    samples, channels, height, width = x.shape
    shape = torch.Size((samples, channels, y_axis.size, x_axis.size))
    y = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=layout)
    last = layout == torch.channels_last
    box = choose_box(shape, last)
    # whole samples of padding, rounded up: added to positions they keep the kernel's dividends from being negative
    skipped_x, skipped_y = (-(-max(axis.before, 0) // axis.up) for axis in (x_axis, y_axis))
    with torch.cuda.device_of(x):
        filter_kernel[grid_size(shape, box)](
            x, y, device_taps(x_axis.taps, x.device), device_taps(y_axis.taps, x.device),
            channels, height, width, y_axis.size, x_axis.size,
            skipped_x, skipped_x * x_axis.up - x_axis.before, skipped_y, skipped_y * y_axis.up - y_axis.before,
            TAPS_X=len(x_axis.taps), TAPS_Y=len(y_axis.taps), UP_X=x_axis.up, UP_Y=y_axis.up,
            DOWN_X=x_axis.down, DOWN_Y=y_axis.down,
            DEPTH=box.channels, ROWS=box.rows, COLUMNS=box.columns, LAST=last, WIDE=needs_int64(x, y),
        )  # fmt: skip
    return y


@lru_cache(maxsize=256)
def device_taps(taps: tuple[float, ...], device: torch.device) -> Tensor:
    """Copy the taps to the device, and cache them there."""
    with torch.inference_mode(False):  # cached, so it must also serve a call that takes gradients
        return torch.tensor(taps, dtype=torch.float32, device=device)


@triton.jit
def first_tap(position, skipped, lead, UP: tl.constexpr):
    """Find the first tap that meets a sample rather than an inserted zero, and the sample that it meets.

    `lead` and `skipped` keep the dividend from being negative: C rounds such quotients toward zero, Python down.
    """
    start = position + lead
    tap = (UP - start % UP) % UP
    return tap, (start + tap) // UP - skipped


@triton.jit
def filter_kernel(
    x_at, y_at, taps_x_at, taps_y_at, channels, height, width, rows, columns, skipped_x, lead_x, skipped_y, lead_y,
    TAPS_X: tl.constexpr, TAPS_Y: tl.constexpr, UP_X: tl.constexpr, UP_Y: tl.constexpr,
    DOWN_X: tl.constexpr, DOWN_Y: tl.constexpr,
    DEPTH: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAST: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Compute y [N, channels, rows, columns] from x [N, channels, height, width]; taps on inserted zeros are
    skipped."""
    n, c, y, x = element_indices(tl.program_id(0), channels, rows, columns, DEPTH, ROWS, COLUMNS, LAST, WIDE)
    here = (c < channels) & (y < rows) & (x < columns)
    first_x, column = first_tap(x * DOWN_X, skipped_x, lead_x, UP_X)
    first_y, row = first_tap(y * DOWN_Y, skipped_y, lead_y, UP_Y)
    total = tl.zeros([DEPTH * ROWS * COLUMNS], dtype=tl.float32)
    # Only every UP-th tap meets a sample; static loops are unrolled, so that the compiler can load ahead.
    for i in tl.static_range((TAPS_Y + UP_Y - 1) // UP_Y):
        tap_y, from_y = first_y + i * UP_Y, row + i
        in_row = here & (tap_y < TAPS_Y) & (from_y >= 0) & (from_y < height)
        line = tl.zeros([DEPTH * ROWS * COLUMNS], dtype=tl.float32)
        for j in tl.static_range((TAPS_X + UP_X - 1) // UP_X):
            tap_x, from_x = first_x + j * UP_X, column + j
            inside = in_row & (tap_x < TAPS_X) & (from_x >= 0) & (from_x < width)
            at = flat_offset(n, c, from_y, from_x, channels, height, width, LAST)
            weight = tl.load(taps_x_at + tap_x, mask=tap_x < TAPS_X, other=0.0)
            line += weight * tl.load(x_at + at, mask=inside, other=0.0).to(tl.float32)
        total += tl.load(taps_y_at + tap_y, mask=tap_y < TAPS_Y, other=0.0) * line
    tl.store(y_at + flat_offset(n, c, y, x, channels, rows, columns, LAST), total.to(y_at.dtype.element_ty), mask=here)


def probe(device: str) -> None:
    """Raise an error where a tiny image is resampled wrongly."""
    x = torch.linspace(-1, 1, 60, device=device).view(1, 2, 5, 6)
    doubled = make_axis(6, plain.TAPS, 2, 1, 2, 1, 2.0), make_axis(5, plain.TAPS, 2, 1, 2, 1, 2.0)
    y = launch_filter(x, *doubled)
    check_close(y, plain_axes_filter(x, *doubled))
    halved = doubled[0].adjoint(6), doubled[1].adjoint(5)
    check_close(launch_filter(y, *halved), plain_axes_filter(y, *halved))
