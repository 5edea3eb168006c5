"""The plan of StyleGAN3's layers: bands, sampling rates and channels (arXiv 2106.12423, sec. 3.2 and appendix)."""

from __future__ import annotations

from typing import NamedTuple

from ggdr.networks.size import Pyramid
from ggdr.networks.stylegan3 import StyleGAN3GeneratorConfig
from ggdr.ops.lowpass import Band


class LayerPlan(NamedTuple):
    """The band, the resolution and the channels of the maps that a layer returns."""

    level: int
    """Number of doublings above the base."""
    channels: int
    """Number of channels of the layer's maps."""
    band: Band
    """Band of the layer's maps; the unit of length is the image's height."""
    critical: bool
    """Whether the cutoff is half of the image's sampling rate."""


def plan(config: StyleGAN3GeneratorConfig, pyramid_of: Pyramid) -> list[LayerPlan]:
    """Return the plan of each layer, from the smallest maps to the image's resolution."""
    return [plan_layer(config, pyramid_of, layer) for layer in range(config.layers)]


def plan_layer(config: StyleGAN3GeneratorConfig, pyramid_of: Pyramid, layer: int) -> LayerPlan:
    """Plan one layer: cutoff and stopband grow geometrically, and the sampling rate is the least that contains them."""
    full = pyramid_of.resolutions[-1]
    share = min(layer / (config.layers - config.critical), 1.0)
    cutoff = interpolate_geometric(min(config.first_cutoff, full / 2), full / 2, share)
    stopband = interpolate_geometric(config.first_stopband, full / 2 * config.last_stopband, share)
    level = pyramid_of.doublings
    while level and pyramid_of.resolutions[level - 1] >= 2 * stopband:
        level -= 1
    rate = pyramid_of.resolutions[level]
    channels = max(round(min(config.channel_base / (2 * cutoff), config.channel_max)), 1)
    return LayerPlan(level, channels, Band(rate, cutoff, max(rate / 2, stopband) - cutoff), share == 1)


def interpolate_geometric(first: float, last: float, share: float) -> float:
    """Interpolate from first to last by equal factors."""
    return first * (last / first) ** share
