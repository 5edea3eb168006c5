"""The FastGAN generator: gated doublings, the large maps weighed by the small (arXiv 2101.04775, sec. 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr import network
from ggdr.layers.norm import BatchNorm2d
from ggdr.layers.projection import needed
from ggdr.networks.base import Brief, Sample
from ggdr.networks.fastgan import FastGANGenerator
from ggdr.networks.fastgan.blocks import Doubling, Gated, initialise
from ggdr.networks.size import Ladder, channels, ladder
from ggdr.ops.activation import SLOPE


class Generator(network.Generator):
    """Latent codes, with labels beside them, to images."""

    def __init__(self, config: FastGANGenerator, brief: Brief):
        super().__init__(config, brief)
        rungs = ladder(brief.height, brief.width)
        widths = [channels(config.channel_base, config.channel_max, level) for level in range(len(rungs.sides))]
        self.z_dim = config.z_dim
        self.feature_channels = dict(zip(rungs.sides, widths, strict=True))
        enter = nn.ConvTranspose2d(config.z_dim + brief.labels, 2 * widths[0], rungs.size(0), bias=False)
        self.add_module(f"b{rungs.height}", Gated(enter, BatchNorm2d(2 * widths[0])))
        for side, inputs, outputs in zip(rungs.sides[1:], widths, widths[1:], strict=False):
            self.add_module(f"b{side}", Doubling(inputs, outputs, BatchNorm2d))
        self.sources = sources(rungs, config)
        for side, source in self.sources.items():
            self.add_module(f"skip{side}", Excitation(self.feature_channels[source], self.feature_channels[side]))
        self.toimage = nn.Conv2d(widths[-1], brief.channels, 3, padding=1)
        initialise(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, *, sides: tuple[int, ...] = ()) -> Sample:
        """z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W], and the maps of `sides`, once weighed.

        ValueError if a side is not one of the network's, or a label is missing.
        """
        self.check_sides(sides)
        x = self.entered(z, labels)
        maps: dict[int, Tensor] = {}
        for side in self.feature_channels:
            x = self.get_submodule(f"b{side}")(x)
            if side in self.sources:
                x = x * self.get_submodule(f"skip{side}")(maps[self.sources[side]])
            maps[side] = x
        image = torch.tanh(self.toimage(x).float())
        return Sample(image, None, {side: maps[side].float() for side in sides})

    def entered(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Code and label as one [N, z_dim + L, 1, 1]."""
        if self.brief.labels:
            z = torch.cat([z, needed(labels, self.brief.labels).to(z.dtype)], dim=1)
        return z[:, :, None, None]

    def entries(self) -> list[Tensor]:
        """The first layer's weights [2 * channels * h * w, z_dim]."""
        first = next(iter(self.feature_channels))
        weight = self.get_submodule(f"b{first}.conv").get_parameter("weight")
        return [weight[: self.z_dim].flatten(1).T]


class Excitation(nn.Module):
    """Skip-layer excitation: a weight from 0 to 1 for each channel of large maps, read off small ones (eq. 1)."""

    def __init__(self, inputs: int, outputs: int):
        """`inputs`: channels of the small maps. `outputs`: of the large."""
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.conv0 = nn.Conv2d(inputs, outputs, 4)
        self.conv1 = nn.Conv2d(outputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, inputs, h, w] to [N, outputs, 1, 1]."""
        hidden = nn.functional.leaky_relu(self.conv0(self.pool(x)), SLOPE)
        return self.conv1(hidden).sigmoid()


def sources(rungs: Ladder, config: FastGANGenerator) -> dict[int, int]:
    """Side of the maps that are weighed -> side of those that weigh them."""
    # Unlike the paper, whose images have 256 px or more: on small ones excitation reaches less far.
    reach = min(config.reach, rungs.doublings - 1)
    lower = rungs.sides[1 : len(rungs.sides) - reach][: config.skips] if reach else []
    return {side << reach: side for side in lower}
