"""How StyleGAN3's layers share the frequencies among them (arXiv 2106.12423, sec. 3.2 and appendix)."""

from __future__ import annotations

from typing import NamedTuple

from ggdr.networks.size import Pyramid
from ggdr.networks.stylegan3 import StyleGAN3GeneratorConfig
from ggdr.ops.lowpass import Band


class LayerPlan(NamedTuple):
    """The maps that a layer hands on."""

    level: int
    """doublings above the pyramid's base"""
    channels: int
    """number of its maps"""
    band: Band
    """what they are limited to; the unit of length is the image's height"""
    critical: bool
    """whether their cutoff is half of the image's sampling rate"""


def plan(config: StyleGAN3GeneratorConfig, pyramid_of: Pyramid) -> list[LayerPlan]:
    """One rung a layer, from the smallest maps to the image's size."""
    return [rung(config, pyramid_of, layer) for layer in range(config.layers)]


def rung(config: StyleGAN3GeneratorConfig, pyramid_of: Pyramid, layer: int) -> LayerPlan:
    """Cutoff and stopband grow geometrically; the sampling rate is the least of the pyramid's that holds them."""
    full = pyramid_of.resolutions[-1]
    share = min(layer / (config.layers - config.critical), 1.0)
    cutoff = between(min(config.first_cutoff, full / 2), full / 2, share)
    stopband = between(config.first_stopband, full / 2 * config.last_stopband, share)
    level = pyramid_of.doublings
    while level and pyramid_of.resolutions[level - 1] >= 2 * stopband:
        level -= 1
    rate = pyramid_of.resolutions[level]
    channels = max(round(min(config.channel_base / (2 * cutoff), config.channel_max)), 1)
    return LayerPlan(level, channels, Band(rate, cutoff, max(rate / 2, stopband) - cutoff), share == 1)


def between(first: float, last: float, share: float) -> float:
    """From first to last by equal factors."""
    return first * (last / first) ** share
