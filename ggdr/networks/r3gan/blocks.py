"""The blocks of R3GAN's networks: inverted bottlenecks that start as the identity (arXiv 2501.05441, sec. 4)."""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.layers.minibatch import largest_divisor
from ggdr.networks.base import ImageSpec
from ggdr.networks.r3gan import R3GANDiscriminatorConfig, R3GANGeneratorConfig
from ggdr.networks.size import channels, pyramid_of
from ggdr.ops.activation import SLOPE
from ggdr.ops.convolution import resampling_conv2d
from ggdr.ops.fir import downsample2, upsample2


class R3GANBlock(nn.Module):
    """Residual block without normalization: 1x1, leaky ReLU, grouped 3x3, leaky ReLU, 1x1, wide inside."""

    def __init__(self, width: int, config: R3GANGeneratorConfig | R3GANDiscriminatorConfig, depth: int):
        """Build the block; `depth`: residual blocks of the whole network; the more, the smaller the initial weights."""
        super().__init__()
        inside = width * config.expansion
        groups = inside // largest_divisor(inside, config.group_size)
        self.conv0 = nn.Conv2d(width, inside, 1)
        self.conv1 = nn.Conv2d(inside, inside, 3, padding=1, groups=groups)
        self.conv2 = nn.Conv2d(inside, width, 1, bias=False)
        for conv in (self.conv0, self.conv1):
            initialise(conv, depth**-0.25)  # fix-up for a branch of three layers (arXiv 1901.09321)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, width, H, W] to the same shape."""
        return x + self.conv2(F.leaky_relu(self.conv1(F.leaky_relu(self.conv0(x), SLOPE)), SLOPE))


class R3GANTransition(nn.Module):
    """Bilinear upsampling or downsampling, with a 1x1 convolution where the number of channels changes."""

    def __init__(self, in_channels: int, out_channels: int, *, up: int = 1, down: int = 1):
        super().__init__()
        self.up, self.down = up, down
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False) if in_channels != out_channels else None
        if self.conv is not None:
            initialise(self.conv, slope=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to [N, out_channels, H * up / down, W * up / down]."""
        if self.conv is None:  # the 1331 filter is the bilinear one at half and at twice the size
            return upsample2(x) if self.up == 2 else downsample2(x)
        return resampling_conv2d(x, self.conv.weight, up=self.up, down=self.down)


class Stages(NamedTuple):
    """What the stages of a network have, smallest maps first."""

    resolutions: list[int]
    """height of the maps, pixels"""
    widths: list[int]
    """channels outside of bottlenecks"""
    blocks: list[int]
    """residual blocks"""


def stages_of(config: R3GANGeneratorConfig | R3GANDiscriminatorConfig, spec: ImageSpec) -> Stages:
    """The stages of a network for images of `spec`; UserError if widths or blocks are given for another number."""
    resolutions = pyramid_of(spec.height, spec.width).resolutions
    number = len(resolutions)
    widths = config.widths or [channels(config.channel_base, config.channel_max, level) for level in range(number)]
    blocks = config.blocks * number if len(config.blocks) == 1 else config.blocks
    for name, given in (("widths", widths), ("blocks", blocks)):
        if len(given) != number:
            raise UserError(
                f"{name} are given for {len(given)} stages; images of {spec.height} x {spec.width} px have {number}, of"
                f" {', '.join(map(str, resolutions))} px: give {number} of them."
            )
    return Stages(resolutions, list(widths), list(blocks))


def stage(
    width: int, blocks: int, config: R3GANGeneratorConfig | R3GANDiscriminatorConfig, depth: int
) -> nn.Sequential:
    """Return the residual blocks of one resolution, of a network with `doublings` doublings."""
    return nn.Sequential(*(R3GANBlock(width, config, depth) for _ in range(blocks)))


def initialise(layer: nn.Conv2d | nn.Linear, scale: float = 1.0, slope: float = SLOPE) -> None:
    """Draw normal weights that keep the variance up to a leaky ReLU of this slope (arXiv 1502.01852), scaled; no
    bias."""
    fan_in = layer.weight[0].numel()
    nn.init.normal_(layer.weight, std=scale * math.sqrt(2 / (1 + slope**2) / fan_in))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
