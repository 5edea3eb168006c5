"""The generator of vectors: fully connected layers and ReLUs (arXiv 1406.2661, 1612.04357)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.norm import BatchNorm2d
from ggdr.layers.projection import require_labels, with_label_planes
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.mlp import MLPGeneratorConfig
from ggdr.ops.activation import SLOPE


class MLPGenerator(Generator):
    """Maps latent codes, with labels beside them, to vectors, which are images of 1 x 1 px."""

    def __init__(self, config: MLPGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec)
        self.z_dim, self.bounded = config.z_dim, config.bounded
        told = config.label_channels if spec.labels else 0
        self.embed = nn.Linear(spec.labels, told) if told else None
        self.layers, width = nn.ModuleList(), config.z_dim + (told or spec.labels)
        for _ in range(config.layers):
            self.layers.append(DenseUpLayer(width, config))
            width = config.channels
        self.shape = spec.channels, spec.height, spec.width
        self.out = nn.Conv2d(width, spec.channels * spec.height * spec.width, 1)

    def forward(self, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W]; it has no feature maps."""
        self.check_resolutions(resolutions)
        if self.embed is not None:
            labels = self.embed(require_labels(labels, self.spec.labels).to(z.dtype))
        x = with_label_planes(z[:, :, None, None], labels, self.spec.labels)
        for layer in self.layers:
            x = layer(x)
        made = self.out(x).float().flatten(1).unflatten(1, self.shape)  # which leaves the batch's size open, for export
        return GeneratorOutput(torch.tanh(made) if self.bounded else made)


class DenseUpLayer(nn.Module):
    """A fully connected layer, as a convolution of one pixel; normalization and a ReLU, leaky or not."""

    def __init__(self, in_channels: int, config: MLPGeneratorConfig):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, config.channels, 1, bias=config.norm == "none")
        self.norm = BatchNorm2d(config.channels) if config.norm == "batch" else None
        self.slope = SLOPE if config.activation == "leaky_relu" else 0.0

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, 1, 1] to [N, channels, 1, 1]."""
        x = self.conv(x)
        return F.leaky_relu(x if self.norm is None else self.norm(x), self.slope)
