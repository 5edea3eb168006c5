"""RRDB: dense blocks within residual blocks, then nearest doublings (arXiv 1809.00219, fig. 4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.networks.base import ImageSpec
from ggdr.networks.base.enlarging import EnlargingTranslator
from ggdr.networks.rrdb import RRDBTranslatorConfig
from ggdr.ops.activation import SLOPE
from ggdr.ops.scales import upsample_nearest

DENSE = 5
"""Convolutions of a dense block."""
START = 0.1
"""Factor of the initial weights of dense blocks (sec. 3.1: smaller initialization)."""


class RRDBTranslator(EnlargingTranslator):
    """Maps images to larger ones."""

    config: RRDBTranslatorConfig

    def __init__(self, config: RRDBTranslatorConfig, spec: ImageSpec, source: ImageSpec):
        super().__init__(config, spec, source, config.channels)
        width = config.channels
        self.first = nn.Conv2d(source.channels + spec.labels, width, 3, padding=1)
        self.blocks = nn.Sequential(*(RRDB(config) for _ in range(config.blocks)))
        self.last = nn.Conv2d(width, width, 3, padding=1)
        self.up = nn.ModuleList(NearestUp(width) for _ in range(self.doublings))
        self.toimage = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, spec.channels, 3, padding=1),
        )

    def enter(self, shown: Tensor) -> Tensor:
        """Return the maps that the residual blocks make of images [N, Cs, Hs, Ws]."""
        x = self.first(shown)
        return x + self.last(self.blocks(x))


class RRDB(nn.Module):
    """Residual in residual: three dense blocks, added to what they read."""

    def __init__(self, config: RRDBTranslatorConfig):
        super().__init__()
        self.scale = config.residual_scale
        self.dense = nn.Sequential(*(DenseBlock(config) for _ in range(3)))

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, channels, h, w] to the same shape."""
        return x + self.scale * self.dense(x)


class DenseBlock(nn.Module):
    """Convolutions that each read all maps before them, the last of which is added to the first."""

    def __init__(self, config: RRDBTranslatorConfig):
        super().__init__()
        width, growth, self.scale = config.channels, config.growth, config.residual_scale
        outputs = [*[growth] * (DENSE - 1), width]
        self.convs = nn.ModuleList(nn.Conv2d(width + n * growth, k, 3, padding=1) for n, k in enumerate(outputs))
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.zero_() if parameter.ndim == 1 else nn.init.kaiming_normal_(parameter).mul_(START)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, channels, h, w] to the same shape."""
        seen = x
        for conv in self.convs[:-1]:
            seen = torch.cat([seen, F.leaky_relu(conv(seen), SLOPE)], dim=1)
        return x + self.scale * self.convs[-1](seen)


class NearestUp(nn.Module):
    """Nearest doubling, a convolution and a leaky ReLU."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, channels, h, w] to [N, channels, 2 * h, 2 * w]."""
        return F.leaky_relu(self.conv(upsample_nearest(x)), SLOPE)
