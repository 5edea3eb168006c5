"""Resampling with finite impulse response filters: insert zeros, pad, filter, keep every n-th sample."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from ggdr.ops.kernels import choose
from ggdr.ops.precision import without_autocast

TAPS = (1.0, 3.0, 3.0, 1.0)
"""The binomial low-pass filter of StyleGAN2 (arXiv 1912.04958)."""
LONGEST_SQUARE = 6
"""Number of taps up to which one square filter is faster than a pass along each axis."""

Pair = tuple[int, int]
Padding = tuple[int, int, int, int]


def upfirdn2d(
    x: Tensor,
    taps: Sequence[float],
    up: int | Pair = 1,
    down: int | Pair = 1,
    padding: Padding = (0, 0, 0, 0),
    flip: bool = False,
    gain: float = 1.0,
) -> Tensor:
    """Insert zeros, pad, convolve with a separable low-pass filter, keep every `down`-th sample.

    x: [N, C, H, W]. taps: the filter along each axis; it is scaled to the sum 1. up, down: a factor, or one for
    (x, y). padding: samples to add (negative: to cut) at (left, right, top, bottom) of the up-sampled image.
    flip: correlate instead. gain: factor of the result; up**2 keeps the brightness of an up-sampled image.
    """
    (up_x, up_y), (down_x, down_y) = _pair(up), _pair(down)
    left, right, top, bottom = padding
    taps = tuple(float(tap) for tap in (reversed(taps) if flip else taps))
    if len(taps) <= LONGEST_SQUARE:
        return _filter(x, taps, taps, (up_x, up_y), (down_x, down_y), padding, gain)
    x = _filter(x, taps, (1.0,), (up_x, 1), (down_x, 1), (left, right, 0, 0), gain)
    return _filter(x, (1.0,), taps, (1, up_y), (1, down_y), (0, 0, top, bottom), 1.0)


def upsample2(x: Tensor) -> Tensor:
    """Double the resolution of [N, C, H, W] with the [1, 3, 3, 1] filter."""
    return upfirdn2d(x, TAPS, up=2, padding=(2, 1, 2, 1), gain=4.0)


def downsample2(x: Tensor) -> Tensor:
    """Halve the resolution of [N, C, H, W] with the [1, 3, 3, 1] filter."""
    return upfirdn2d(x, TAPS, down=2, padding=(1, 1, 1, 1))


def blur(x: Tensor, padding: int, gain: float = 1.0) -> Tensor:
    """Filter [N, C, H, W] with [1, 3, 3, 1] to [N, C, H + 2 * padding - 3, W + 2 * padding - 3]."""
    return upfirdn2d(x, TAPS, padding=(padding,) * 4, gain=gain)


def _filter(
    x: Tensor,
    taps_x: tuple[float, ...],
    taps_y: tuple[float, ...],
    up: Pair,
    down: Pair,
    padding: Padding,
    gain: float,
) -> Tensor:
    """Run one pass of `upfirdn2d` with the outer product of two filters."""
    compute = choose("fir", x) or plain_filter
    return compute(x, taps_x, taps_y, up, down, padding, gain)


def plain_filter(
    x: Tensor,
    taps_x: tuple[float, ...],
    taps_y: tuple[float, ...],
    up: Pair,
    down: Pair,
    padding: Padding,
    gain: float,
) -> Tensor:
    """Run one pass of `upfirdn2d` by PyTorch's convolutions: the reference that the fused kernel is compared with."""
    dtype = x.dtype
    if x.device.type == "cpu" and max(up + down) > 1:
        x = x.float() if dtype == torch.bfloat16 else x  # the strided backward pass takes 50 times as long in bfloat16
    with without_autocast(x):
        kernel = _kernel.__wrapped__ if torch.compiler.is_compiling() else _kernel  # a compiler keeps its own
        if up == (1, 1):
            y = _filter_down(x, kernel(taps_x[::-1], taps_y[::-1], gain, x.shape[1], x.dtype, x.device), down, padding)
        else:
            y = _filter_up(x, kernel(taps_x, taps_y, gain, x.shape[1], x.dtype, x.device), up, padding)
            y = y if down == (1, 1) else y[:, :, :: down[1], :: down[0]]
    return y.to(dtype)


def _filter_down(x: Tensor, kernel: Tensor, down: Pair, padding: Padding) -> Tensor:
    """Pad, correlate with `kernel` [C, 1, h, w], keep every `down`-th sample."""
    left, right, top, bottom = padding
    if left == right >= 0 and top == bottom >= 0:
        return F.conv2d(x, kernel, stride=down[::-1], padding=(top, left), groups=x.shape[1])
    return F.conv2d(F.pad(x, padding), kernel, stride=down[::-1], groups=x.shape[1])


def _filter_up(x: Tensor, kernel: Tensor, up: Pair, padding: Padding) -> Tensor:
    """Insert zeros, pad and convolve with `kernel` [C, 1, h, w], as one transposed convolution."""
    left, right, top, bottom = padding
    height, width = kernel.shape[2:]
    # a transposed convolution gives the whole overlap; these are the samples to add to it, mostly less than none
    edges = (left - width + 1, right - width + up[0], top - height + 1, bottom - height + up[1])
    if edges[0] == edges[1] <= 0 and edges[2] == edges[3] <= 0:
        return F.conv_transpose2d(x, kernel, stride=up[::-1], padding=(-edges[2], -edges[0]), groups=x.shape[1])
    return F.pad(F.conv_transpose2d(x, kernel, stride=up[::-1], groups=x.shape[1]), edges)


@lru_cache(maxsize=256)
def _kernel(
    taps_x: tuple[float, ...],
    taps_y: tuple[float, ...],
    gain: float,
    channels: int,
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    """Return the cached filter [channels, 1, taps, taps] of sum `gain`: a copy from the host would stall a GPU."""
    with torch.inference_mode(False):
        x, y = (torch.tensor(taps, dtype=torch.float32, device="cpu") / sum(taps) for taps in (taps_x, taps_y))
        kernel = (torch.outer(y, x) * gain).expand(channels, 1, -1, -1)
        return kernel.to(device, dtype).contiguous(memory_format=torch.channels_last)


def _pair(factor: int | Pair) -> Pair:
    """Return the factors along x and y."""
    return (factor, factor) if isinstance(factor, int) else (factor[0], factor[1])
