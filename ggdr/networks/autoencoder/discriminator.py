"""The autoencoder as a discriminator: an image that it reconstructs badly is not real (arXiv 1609.03126, fig. 1)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.projection import require_labels
from ggdr.networks.autoencoder import AutoencoderDiscriminatorConfig
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.networks.size import pyramid_of
from ggdr.ops.activation import SLOPE
from ggdr.ops.layout import channels_last


class AutoencoderDiscriminator(Discriminator):
    """Autoencoder whose logit is minus its reconstruction error; no skip connections bypass the code."""

    config: AutoencoderDiscriminatorConfig

    def __init__(self, config: AutoencoderDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        levels, batch = pyramid_of(spec.height, spec.width), config.norm == "batch"
        down = range(levels.doublings)
        widths = [min(config.channels << level, config.channel_max) for level in down]  # from half of the image inwards
        self.map_channels = dict(zip(levels.resolutions, reversed(widths), strict=False))
        steps = list(pairwise([spec.channels, *widths]))
        self.encoder = nn.ModuleList(
            AutoencoderBlock(nn.Conv2d(i, o, 4, stride=2, padding=1), batch and level > 0)
            for level, (i, o) in enumerate(steps)
        )
        self.code = nn.Conv2d(widths[-1], config.code, levels.size(0))
        self.entry = AutoencoderBlock(nn.ConvTranspose2d(config.code + spec.labels, widths[-1], levels.size(0)), batch)
        self.decoder = nn.ModuleList(AutoencoderBlock(upsampling_conv(o, i), batch) for i, o in reversed(steps[1:]))
        self.toimage = upsampling_conv(widths[0], spec.channels)

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N] float32, and each encoder block's maps: resolution r -> [N, map_channels[r], r, r * W /
        H]."""
        maps = self.encoder_maps(image)
        off = self.decode(self.code(maps[min(maps)]), labels).float() - image.float()
        error = off.square() if self.config.error == "squared" else off.abs()
        return -error.mean(dim=(1, 2, 3)), maps

    def encoder_maps(self, image: Tensor) -> dict[int, Tensor]:
        """Return the encoder's maps by resolution."""
        x, maps = channels_last(image), {}
        for resolution, block in zip(sorted(self.map_channels, reverse=True), self.encoder, strict=True):
            maps[resolution] = x = block(x)
        return maps

    def decode(self, code: Tensor, labels: Tensor | None) -> Tensor:
        """Decode codes [N, code, 1, 1] to images; the last layer is linear, so that no pixel value is out of reach."""
        if self.spec.labels:
            given = require_labels(labels, self.spec.labels).to(code.dtype)
            code = torch.cat([code, given[:, :, None, None]], dim=1)
        x = self.entry(code)
        for block in self.decoder:
            x = block(x)
        return self.toimage(x)

    def stages(self) -> list[nn.Module]:
        """Return the encoder's blocks and the layer that makes the code, which can be frozen from the image inwards."""
        return [*self.encoder, self.code]


class AutoencoderBlock(nn.Module):
    """A convolution, batch normalization if `norm`, and a leaky ReLU."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d, norm: bool):
        super().__init__()
        self.conv = conv
        self.norm = nn.BatchNorm2d(conv.out_channels, track_running_stats=False) if norm else None

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to [N, out_channels, ...], as the convolution does."""
        x = self.conv(x)
        return F.leaky_relu(x if self.norm is None else self.norm(x), SLOPE)


def upsampling_conv(in_channels: int, out_channels: int) -> nn.ConvTranspose2d:
    """Return a transposed convolution that doubles the resolution."""
    return nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1)
