"""The encoder of vectors: fully connected layers and leaky ReLUs (arXiv 1511.05644)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.norm import BatchNorm2d
from ggdr.layers.projection import with_label_planes
from ggdr.networks.base import Code, ImageSpec
from ggdr.networks.base.module import Encoder
from ggdr.networks.mlp import MLPEncoderConfig
from ggdr.ops.activation import SLOPE
from ggdr.ops.precision import at_least_float32, without_autocast


class MLPEncoder(Encoder):
    """Maps vectors, images of 1 x 1 px, to codes; maps stay [N, K, 1, 1], larger of larger images."""

    def __init__(self, config: MLPEncoderConfig, spec: ImageSpec):
        super().__init__(config, spec)
        size, width = (spec.height, spec.width), spec.channels + spec.labels
        self.layers = nn.ModuleList()
        for _ in range(config.layers):
            self.layers.append(EncoderLayer(width, config, size))
            size, width = (1, 1), config.channels
        self.mean = nn.Linear(width, config.code_dim)
        self.log_variance = nn.Linear(width, config.code_dim) if config.stochastic else None

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Code:
        """Map images [N, C, H, W], of the size that it was built for or larger, and labels [N, L] to codes."""
        x = with_label_planes(images, labels, self.spec.labels)
        for layer in self.layers:
            x = layer(x)
        with without_autocast(x):
            x = at_least_float32(x).mean(dim=(2, 3))
            return Code(self.mean(x), None if self.log_variance is None else self.log_variance(x))


class EncoderLayer(nn.Module):
    """A fully connected layer, as a convolution that sees all pixels at once; normalization and a leaky ReLU."""

    def __init__(self, in_channels: int, config: MLPEncoderConfig, size: tuple[int, int]):
        """Build the layer; `size`: height and width of what it reads, pixels."""
        super().__init__()
        self.conv = nn.Conv2d(in_channels, config.channels, size, bias=config.norm == "none")
        self.norm = BatchNorm2d(config.channels) if config.norm == "batch" else None

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, h, w] to [N, channels, 1, 1], or more places of images larger than it was built for."""
        x = self.conv(x)
        return F.leaky_relu(x if self.norm is None else self.norm(x), SLOPE)
