"""Low-pass filters of a cutoff and a transition band: windowed sinc and, for the plane, jinc (arXiv 2106.12423)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ggdr.ops.activation import CURVES, SLOPE
from ggdr.ops.fir import upfirdn2d
from ggdr.ops.precision import without_autocast


class Band(NamedTuple):
    """What a signal is limited to, in cycles per unit of length."""

    rate: float
    """samples per unit"""
    cutoff: float
    """f_c: frequencies below it pass"""
    half_width: float
    """f_h: of the transition around the cutoff"""


@lru_cache(maxsize=256)
def sinc_taps(taps: int, band: Band) -> tuple[float, ...]:
    """A filter along one axis: the ideal one of the cutoff under a Kaiser window, of sum 1."""
    places = [index - (taps - 1) / 2 for index in range(taps)]
    found = [sinc(2 * band.cutoff * place / band.rate) for place in places]
    window = kaiser([2 * place / (taps - 1) for place in places], beta(taps, band))
    found = [value * weight for value, weight in zip(found, window, strict=True)]
    return tuple(value / sum(found) for value in found)


def jinc_kernel(taps: int, band: Band) -> Tensor:
    """A filter [taps, taps] of the plane whose spectrum is a disc under the windows of both axes, of sum 1."""
    place = torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2
    radius = torch.hypot(place[:, None], place)
    argument = 2 * math.pi * band.cutoff * radius / band.rate
    ideal = torch.where(argument < 1e-6, 0.5, torch.special.bessel_j1(argument) / argument.clamp(min=1e-6))
    window = torch.special.i0(beta(taps, band) * (1 - (2 * place / (taps - 1)).square()).clamp(min=0).sqrt())
    kernel = ideal * torch.outer(window, window)
    return (kernel / kernel.sum()).float()


def beta(taps: int, band: Band) -> float:
    """Shape of the Kaiser window that gets the most attenuation out of `taps` taps (Kaiser 1974)."""
    attenuation = 2.285 * (taps - 1) * math.pi * 2 * band.half_width / (band.rate / 2) + 7.95  # dB
    if attenuation > 50:
        return 0.1102 * (attenuation - 8.7)
    return 0.5842 * max(attenuation - 21, 0) ** 0.4 + 0.07886 * max(attenuation - 21, 0)


def kaiser(places: Sequence[float], shape: float) -> list[float]:
    """The window, up to a factor, at places from -1 to 1."""
    return [bessel_i0(shape * math.sqrt(max(1 - place**2, 0))) for place in places]


def bessel_i0(x: float) -> float:
    """The modified Bessel function of order zero, by its series."""
    term = total = 1.0
    count = 1
    while term > 1e-17 * total:
        term *= (x / (2 * count)) ** 2
        total, count = total + term, count + 1
    return total


def sinc(x: float) -> float:
    """sin(pi x) / (pi x)."""
    return 1.0 if x == 0 else math.sin(math.pi * x) / (math.pi * x)


class Resampling(NamedTuple):
    """How maps go from one band to another by way of a higher rate."""

    up: int
    """factor to the higher rate; `up_taps` are 6 of it"""
    up_taps: tuple[float, ...]
    """filter along each axis at the higher rate, that keeps what was below the first band's cutoff"""
    down: int
    """factor from the higher rate, even"""
    down_taps: tuple[float, ...]
    """filter that keeps what is below the second band's cutoff, where it is not one of the plane"""
    size: tuple[int, int]
    """height and width of the result, about the same centre"""


def filtered_lrelu(
    x: Tensor, how: Resampling, kernel: Tensor | None = None, *, slope: float = SLOPE, clamp: float | None = None
) -> Tensor:
    """A leaky ReLU, with its gain, that adds no frequencies which the maps cannot carry (Karras et al. 2021, sec. 3.2).

    x: [N, C, h, w]. kernel: [taps, taps], in place of `down_taps`. Returns [N, C, *size]. What lies outside is 0.
    """
    taps = len(how.down_taps) if kernel is None else kernel.shape[0]
    need = [pixels * how.down + taps - how.down for pixels in how.size]
    gain = how.up**2 * CURVES["lrelu"].gain  # the activation's own is the same ahead of it, and spares a pass
    high = F.leaky_relu(upfirdn2d(x, how.up_taps, how.up, padding=centred(x, how, need), gain=gain), slope)
    high = high if clamp is None else high.clamp(-clamp, clamp)
    return upfirdn2d(high, how.down_taps, down=how.down) if kernel is None else plane_filtered(high, kernel, how.down)


def centred(x: Tensor, how: Resampling, need: Sequence[int]) -> tuple[int, int, int, int]:
    """Padding by which doubling gives `need` rows and columns about the centre of x."""
    taps = len(how.up_taps)
    rows, columns = (((here - 1) * how.up + taps - wanted) // 2 for here, wanted in zip(x.shape[2:], need, strict=True))
    before, after = taps - 1, taps - how.up
    return before - columns, after - columns, before - rows, after - rows


def plane_filtered(x: Tensor, kernel: Tensor, down: int) -> Tensor:
    """Every `down`-th sample of x [N, C, H, W] under a kernel [taps, taps] that is its own mirror image."""
    with without_autocast(x):
        own = kernel.to(x.dtype).expand(x.shape[1], 1, -1, -1)
        return F.conv2d(x, own, stride=down, groups=x.shape[1])
