"""The coordinate generator: Fourier features of places, then layers that the latent code scales (arXiv 2011.13775)."""

from __future__ import annotations

import torch
from ggdr.layers.projection import require_labels
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr_example.coordinates import CoordinatesGeneratorConfig


class CoordinatesGenerator(Generator):
    """Maps latent codes, with labels beside them, to images of any size."""

    places: Tensor

    def __init__(self, config: CoordinatesGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec)
        self.z_dim = config.z_dim
        self.feature_channels = {spec.height: config.channels}
        self.register_buffer("places", grid(spec.height, spec.width))
        self.waves = nn.Conv2d(2, config.frequencies, 1)
        widths = [config.frequencies, *[config.channels] * config.layers]
        self.layers = nn.ModuleList(
            StyledPixels(i, o, config.z_dim + spec.labels) for i, o in zip(widths, widths[1:], strict=False)
        )
        self.toimage = nn.Conv2d(config.channels, spec.channels, 1)
        nn.init.normal_(self.waves.weight, std=min(spec.height, spec.width) / 4)  # waves up to the finest detail

    def forward(self, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W], and the maps of `resolutions`."""
        self.check_resolutions(resolutions)
        if self.spec.labels:
            z = torch.cat([z, require_labels(labels, self.spec.labels).to(z.dtype)], dim=1)
        x = torch.sin(self.waves(self.places)).expand(len(z), -1, -1, -1)
        for layer in self.layers:
            x = layer(x, z)
        image = torch.tanh(self.toimage(x).float())
        return GeneratorOutput(image, None, dict.fromkeys(resolutions, x.float()))


class StyledPixels(nn.Module):
    """A layer that is the same at each pixel, whose channels the latent code scales and shifts."""

    def __init__(self, in_channels: int, out_channels: int, z_dim: int):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1)
        self.style = nn.Linear(z_dim, 2 * out_channels)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """Map x [N, in_channels, H, W] and z [N, z_dim] to [N, out_channels, H, W]."""
        scale, shift = self.style(z)[:, :, None, None].chunk(2, dim=1)
        return F.leaky_relu(self.conv(x) * (1 + scale) + shift, 0.2)


def grid(height: int, width: int) -> Tensor:
    """Places [1, 2, H, W] of pixels: 0 is the centre, and the shorter side goes from -1 to 1."""
    side = min(height, width)
    y, x = ((torch.arange(n) + 0.5 - n / 2) * 2 / side for n in (height, width))
    return torch.stack(torch.meshgrid(y, x, indexing="ij"))[None]
