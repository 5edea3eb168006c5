"""The convolutional encoder of Augmented CycleGAN (arXiv 1802.10151)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.layers.norm import BatchNorm2d, InstanceNorm2d
from ggdr.layers.projection import with_label_planes
from ggdr.networks.base import Code, ImageSpec
from ggdr.networks.base.module import Encoder
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.ops.activation import SLOPE
from ggdr.ops.layout import channels_last
from ggdr.ops.precision import at_least_float32, without_autocast

SMALLEST = 4
"""Least side of the maps that the last convolution reads, pixels."""
WIDEST = 8
"""Widest maps, times the settings' channels."""


class ConvEncoder(Encoder):
    """Maps images to codes."""

    def __init__(self, config: ConvEncoderConfig, spec: ImageSpec):
        super().__init__(config, spec)
        side, width = min(spec.height, spec.width), spec.channels + spec.labels
        if side < SMALLEST:
            raise UserError(
                f"encoder {config.name!r} reads images from {SMALLEST} px a side on, and these have {spec.height} x"
                f" {spec.width} px: resize them, --data.size {SMALLEST} or more."
            )
        self.layers = nn.ModuleList()
        for level in range(min(config.halvings, (side // SMALLEST).bit_length() - 1)):
            narrow, width = width, config.channels * min(1 << level, WIDEST)
            self.layers.append(EncoderLayer(narrow, width, config.norm))
        last = max(width, config.channels)
        self.conv = nn.Conv2d(width, last, SMALLEST)
        self.mean = nn.Linear(last, config.code_dim)
        self.log_variance = nn.Linear(last, config.code_dim) if config.stochastic else None

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Code:
        """Map images [N, C, H, W] in [-1, 1], of any size whose halves leave 4 px, and labels [N, L] to codes."""
        x = channels_last(with_label_planes(images, labels, self.spec.labels))
        for layer in self.layers:
            x = layer(x)
        x = F.leaky_relu(self.conv(x), SLOPE)
        with without_autocast(x):
            x = at_least_float32(x).mean(dim=(2, 3))
            return Code(self.mean(x), None if self.log_variance is None else self.log_variance(x))


class EncoderLayer(nn.Module):
    """A 3x3 convolution that halves maps, normalization, and a leaky ReLU."""

    def __init__(self, in_channels: int, out_channels: int, norm: str):
        """Build the layer; `norm`: "batch", "instance" or "none"."""
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1, bias=norm != "batch")
        self.norm: nn.Module | None = None
        if norm != "none":
            self.norm = BatchNorm2d(out_channels) if norm == "batch" else InstanceNorm2d()

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to [N, out_channels, H / 2, W / 2], rounded up."""
        x = channels_last(self.conv(x))
        return F.leaky_relu(x if self.norm is None else self.norm(x), SLOPE)
