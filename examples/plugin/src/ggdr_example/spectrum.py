"""Spectral distance: how far the power spectra of real and of generated images are apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggdr.lazy import Tensor, torch
from ggdr.metrics.base import Metric
from ggdr.registry import metrics

if TYPE_CHECKING:
    from ggdr.metrics.data import EvalData

CHUNK = 256
"""number of images in memory at a time"""


@metrics.register("spectrum", paper="2003.01826")
@dataclass(frozen=True, kw_only=True)
class SpectralDistance(Metric):
    """Mean difference of log power spectra, decibels, lower is better (after Durall et al. 2020, sec. 3).

    Needs no pretrained network. `mean` is over all frequencies but 0, which is the brightness; `highest` is of the
    finest details, where upsampling leaves its traces.
    """

    # Unlike the paper: it has no number for the distance of two spectra; decibels are what engineers take.
    def measure(self, data: EvalData) -> dict[str, float]:
        """Return `mean` and `highest`, decibels."""
        numbers = self.numbers(data)
        real = power_spectrum(data.real.blocks(numbers.real, CHUNK))
        fake = power_spectrum(data.fake.blocks(numbers.fake, CHUNK))
        gaps = (decibels(real) - decibels(fake)).abs()
        return {"mean": float(gaps.mean()), "highest": float(gaps[-1])}


def power_spectrum(blocks: Iterable[Tensor]) -> Tensor:
    """Return the mean power [K] at 1, 2, ... cycles on the shorter side, of images in blocks [n, C, H, W] uint8."""
    total, count = torch.zeros([]), 0
    for images in blocks:
        gray = images.double().mean(dim=1) / 127.5 - 1
        total = total + torch.fft.fft2(gray, norm="forward").abs().square().sum(dim=0)
        count += len(images)
    return by_frequency(total / count)


def by_frequency(power: Tensor) -> Tensor:
    """Return the mean over the directions of a spectrum [H, W], for 1, 2, ... cycles on the shorter side."""
    height, width = power.shape
    side = min(height, width)
    y, x = torch.fft.fftfreq(height)[:, None], torch.fft.fftfreq(width)[None]
    cycles = ((y.square() + x.square()).sqrt() * side).round().long().flatten()
    sums = torch.zeros(int(cycles.max()) + 1, dtype=power.dtype).index_add(0, cycles, power.flatten())
    return (sums / cycles.bincount())[1 : side // 2 + 1]


def decibels(power: Tensor) -> Tensor:
    """Return a power on the scale on which 10 is ten times as much; -120 where there is nothing."""
    return 10 * power.clamp(min=1e-12).log10()
