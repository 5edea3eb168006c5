"""The DCGAN generator: project, then double with transposed convolutions (arXiv 1511.06434, fig. 1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr import network
from ggdr.layers.norm import BatchNorm2d
from ggdr.layers.projection import needed
from ggdr.networks.base import Brief, Sample
from ggdr.networks.dcgan import DCGANGenerator
from ggdr.networks.dcgan.init import channels, initialise
from ggdr.networks.size import ladder
from ggdr.ops.layout import channels_last


class Generator(network.Generator):
    """Latent codes, with labels beside them, to images."""

    def __init__(self, config: DCGANGenerator, brief: Brief):
        super().__init__(config, brief)
        rungs = ladder(brief.height, brief.width)
        widths = channels(config.channels, config.channel_max, rungs.doublings)
        self.z_dim = config.z_dim
        self.feature_channels = dict(zip(rungs.sides, widths, strict=False))
        project = nn.ConvTranspose2d(config.z_dim + brief.labels, widths[0], rungs.size(0), bias=False)
        layers = [project, *(doubling(i, o, bias=False) for i, o in zip(widths, widths[1:], strict=False))]
        for side, layer in zip(self.feature_channels, layers, strict=True):
            self.add_module(f"b{side}", Block(layer))
        self.toimage = doubling(widths[-1], brief.channels, bias=True)
        initialise(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, *, sides: tuple[int, ...] = ()) -> Sample:
        """z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W], and the output of the blocks of `sides`.

        ValueError if a side is not one of the network's, or a label is missing.
        """
        self.check_sides(sides)
        x, features = self.entered(z, labels), {}
        for side in self.feature_channels:
            x = self.get_submodule(f"b{side}")(x)
            if side in sides:
                features[side] = x.float()
        return Sample(torch.tanh(self.toimage(x).float()), None, features)

    def entered(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Code and label as one [N, z_dim + L, 1, 1]."""
        if self.brief.labels:
            z = torch.cat([z, needed(labels, self.brief.labels).to(z.dtype)], dim=1)
        return z[:, :, None, None]

    def entries(self) -> list[Tensor]:
        """The first layer's weights [channels * h * w, z_dim]."""
        first = next(iter(self.feature_channels))
        weight = self.get_submodule(f"b{first}.conv").get_parameter("weight")
        return [weight[: self.z_dim].flatten(1).T]


class Block(nn.Module):
    """A transposed convolution, batch normalization, ReLU."""

    def __init__(self, conv: nn.ConvTranspose2d):
        super().__init__()
        self.conv, self.norm = conv, BatchNorm2d(conv.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, h, w] to [N, outputs, H, W]."""
        x = channels_last(self.conv(x))
        return F.relu(self.norm(x))


def doubling(inputs: int, outputs: int, *, bias: bool) -> nn.ConvTranspose2d:
    """A transposed convolution to twice the size."""
    return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=bias)
