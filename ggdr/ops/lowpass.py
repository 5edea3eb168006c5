"""Low-pass filters with a cutoff and a transition band: windowed sinc, or jinc for radial symmetry (arXiv
2106.12423)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ggdr.ops.activation import ACTIVATIONS, SLOPE
from ggdr.ops.fir import upfirdn2d
from ggdr.ops.precision import without_autocast


class Band(NamedTuple):
    """The frequency band that a signal is limited to, in cycles per unit of length."""

    rate: float
    """Sampling rate s, samples per unit of length."""
    cutoff: float
    """Cutoff frequency f_c, below which frequencies pass."""
    half_width: float
    """Half-width f_h of the transition band about the cutoff."""


@lru_cache(maxsize=256)
def sinc_taps(taps: int, band: Band) -> tuple[float, ...]:
    """Return a filter along one axis: the ideal low-pass filter of the cutoff under a Kaiser window, of sum 1."""
    places = [index - (taps - 1) / 2 for index in range(taps)]
    found = [sinc(2 * band.cutoff * place / band.rate) for place in places]
    window = kaiser_window([2 * place / (taps - 1) for place in places], kaiser_beta(taps, band))
    found = [value * weight for value, weight in zip(found, window, strict=True)]
    return tuple(value / sum(found) for value in found)


def jinc_kernel(taps: int, band: Band) -> Tensor:
    """Return a filter [taps, taps] whose spectrum is a disc, under the Kaiser windows of both axes, of sum 1."""
    place = torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2
    radius = torch.hypot(place[:, None], place)
    argument = 2 * math.pi * band.cutoff * radius / band.rate
    ideal = torch.where(argument < 1e-6, 0.5, torch.special.bessel_j1(argument) / argument.clamp(min=1e-6))
    window = torch.special.i0(kaiser_beta(taps, band) * (1 - (2 * place / (taps - 1)).square()).clamp(min=0).sqrt())
    kernel = ideal * torch.outer(window, window)
    return (kernel / kernel.sum()).float()


def kaiser_beta(taps: int, band: Band) -> float:
    """Return beta of the Kaiser window that gets the most attenuation out of `taps` taps (Kaiser 1974)."""
    attenuation = 2.285 * (taps - 1) * math.pi * 2 * band.half_width / (band.rate / 2) + 7.95  # dB
    if attenuation > 50:
        return 0.1102 * (attenuation - 8.7)
    return 0.5842 * max(attenuation - 21, 0) ** 0.4 + 0.07886 * max(attenuation - 21, 0)


def kaiser_window(places: Sequence[float], shape: float) -> list[float]:
    """Return the Kaiser window of this beta, up to a factor, at places from -1 to 1."""
    return [bessel_i0(shape * math.sqrt(max(1 - place**2, 0))) for place in places]


def bessel_i0(x: float) -> float:
    """Compute the modified Bessel function of order zero by its power series."""
    term = total = 1.0
    count = 1
    while term > 1e-17 * total:
        term *= (x / (2 * count)) ** 2
        total, count = total + term, count + 1
    return total


def sinc(x: float) -> float:
    """Compute the normalized sinc, sin(pi x) / (pi x)."""
    return 1.0 if x == 0 else math.sin(math.pi * x) / (math.pi * x)


class Resampling(NamedTuple):
    """How feature maps go from one band to another by way of a higher sampling rate."""

    up: int
    """Factor to the higher rate; `up_taps` are 6 times as many."""
    up_taps: tuple[float, ...]
    """Filter along each axis at the higher rate, which keeps what was below the first band's cutoff."""
    down: int
    """Factor from the higher rate back, an even number."""
    down_taps: tuple[float, ...]
    """Filter that keeps what is below the second band's cutoff, where no radial kernel takes its place."""
    size: tuple[int, int]
    """Height and width of the result, about the same centre."""


def filtered_lrelu(
    x: Tensor, resampling: Resampling, kernel: Tensor | None = None, *, slope: float = SLOPE, clamp: float | None = None
) -> Tensor:
    """Apply a leaky ReLU, with its gain, that adds no aliasing frequencies (Karras et al. 2021, sec. 3.2).

    x: [N, C, h, w]. kernel: [taps, taps], in place of `down_taps`. clamp: largest magnitude ahead of the last filter.
    Returns [N, C, *size]. What lies outside of x is 0.
    """
    up, down, size = resampling.up, resampling.down, resampling.size
    taps = len(resampling.down_taps) if kernel is None else kernel.shape[0]
    need = [pixels * down + taps - down for pixels in size]  # what the last filter reads
    gain = up**2 * ACTIVATIONS["lrelu"].gain  # the activation's gain is the same ahead of it, and saves a pass
    high = F.leaky_relu(
        upfirdn2d(x, resampling.up_taps, up, padding=centre_padding(x, resampling, need), gain=gain), slope
    )
    high = high if clamp is None else high.clamp(-clamp, clamp)
    return upfirdn2d(high, resampling.down_taps, down=down) if kernel is None else filter_2d(high, kernel, down)


def centre_padding(x: Tensor, resampling: Resampling, need: Sequence[int]) -> tuple[int, int, int, int]:
    """Return the padding by which upsampling gives `need` rows and columns about the centre of x."""
    taps = len(resampling.up_taps)
    pairs = zip(x.shape[2:], need, strict=True)
    rows, columns = (((size - 1) * resampling.up + taps - wanted) // 2 for size, wanted in pairs)  # surplus to cut
    before, after = taps - 1, taps - resampling.up
    return before - columns, after - columns, before - rows, after - rows


def filter_2d(x: Tensor, kernel: Tensor, down: int) -> Tensor:
    """Filter x [N, C, H, W] with a symmetric kernel [taps, taps] and keep every `down`-th sample."""
    with without_autocast(x):
        own = kernel.to(x.dtype).expand(x.shape[1], 1, -1, -1)
        return F.conv2d(x, own, stride=down, groups=x.shape[1])
