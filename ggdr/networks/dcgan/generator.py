"""The DCGAN generator: project, then upsample by transposed convolutions (arXiv 1511.06434, fig. 1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.norm import BatchNorm2d
from ggdr.layers.projection import require_labels
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.dcgan.init import initialise
from ggdr.networks.size import doubling_channels, pyramid_of
from ggdr.ops.layout import channels_last


class DCGANGenerator(Generator):
    """Maps latent codes, with labels beside them, to images."""

    def __init__(self, config: DCGANGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec)
        levels = pyramid_of(spec.height, spec.width)
        widths = doubling_channels(config.channels, config.channel_max, levels.doublings)
        self.z_dim = config.z_dim
        self.feature_channels = dict(zip(levels.resolutions, widths, strict=False))
        project = nn.ConvTranspose2d(config.z_dim + spec.labels, widths[0], levels.size(0), bias=False)
        layers = [project, *(upsampling_conv(i, o, bias=False) for i, o in zip(widths, widths[1:], strict=False))]
        for resolution, layer in zip(self.feature_channels, layers, strict=True):
            self.add_module(f"b{resolution}", DCGANUpBlock(layer))
        self.toimage = upsampling_conv(widths[-1], spec.channels, bias=True)
        initialise(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W], and the maps of `resolutions`.

        UserError if a resolution is not one of the network's, or a label is missing.
        """
        self.check_resolutions(resolutions)
        x, features = self.concatenate_input(z, labels), {}
        for resolution in self.feature_channels:
            x = self.get_submodule(f"b{resolution}")(x)
            if resolution in resolutions:
                features[resolution] = x.float()
        return GeneratorOutput(torch.tanh(self.toimage(x).float()), None, features)

    def concatenate_input(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Concatenate code and label to [N, z_dim + L, 1, 1]."""
        if self.spec.labels:
            z = torch.cat([z, require_labels(labels, self.spec.labels).to(z.dtype)], dim=1)
        return z[:, :, None, None]

    def input_matrices(self) -> list[Tensor]:
        """Return the first layer's weights [channels * h * w, z_dim]."""
        first = next(iter(self.feature_channels))
        weight = self.get_submodule(f"b{first}.conv").get_parameter("weight")
        return [weight[: self.z_dim].flatten(1).T]


class DCGANUpBlock(nn.Module):
    """A transposed convolution, batch normalization, and a ReLU."""

    def __init__(self, conv: nn.ConvTranspose2d):
        super().__init__()
        self.conv, self.norm = conv, BatchNorm2d(conv.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, h, w] to [N, out_channels, H, W]."""
        x = channels_last(self.conv(x))
        return F.relu(self.norm(x))


def upsampling_conv(in_channels: int, out_channels: int, *, bias: bool) -> nn.ConvTranspose2d:
    """Return a transposed convolution that doubles the resolution."""
    return nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=bias)
