"""The autoencoder as a discriminator: what it cannot redraw is not real (arXiv 1609.03126, fig. 1)."""

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
    """Images to minus the error of their reconstruction from a code; there are no skip connections past it."""

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
        self.decoder = nn.ModuleList(AutoencoderBlock(doubling(o, i), batch) for i, o in reversed(steps[1:]))
        self.toimage = doubling(widths[0], spec.channels)

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Logits [N] float32, and each encoder block's output: side r -> [N, map_channels[r], r, r * W / H]."""
        maps = self.encode(image)
        off = self.decode(self.code(maps[min(maps)]), labels).float() - image.float()
        error = off.square() if self.config.error == "squared" else off.abs()
        return -error.mean(dim=(1, 2, 3)), maps

    def encode(self, image: Tensor) -> dict[int, Tensor]:
        """The encoder's maps by their side."""
        x, maps = channels_last(image), {}
        for resolution, block in zip(sorted(self.map_channels, reverse=True), self.encoder, strict=True):
            maps[resolution] = x = block(x)
        return maps

    def decode(self, code: Tensor, labels: Tensor | None) -> Tensor:
        """Codes [N, code, 1, 1] to images; linear at the end, so that no pixel is out of reach."""
        if self.spec.labels:
            given = require_labels(labels, self.spec.labels).to(code.dtype)
            code = torch.cat([code, given[:, :, None, None]], dim=1)
        x = self.entry(code)
        for block in self.decoder:
            x = block(x)
        return self.toimage(x)

    def stages(self) -> list[nn.Module]:
        """The encoder's blocks, and the way to the code."""
        return [*self.encoder, self.code]


class AutoencoderBlock(nn.Module):
    """A convolution, batch normalization where asked, leaky ReLU."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d, norm: bool):
        super().__init__()
        self.conv = conv
        self.norm = nn.BatchNorm2d(conv.out_channels, track_running_stats=False) if norm else None

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] to [N, outputs, ...], as the convolution does."""
        x = self.conv(x)
        return F.leaky_relu(x if self.norm is None else self.norm(x), SLOPE)


def doubling(in_channels: int, out_channels: int) -> nn.ConvTranspose2d:
    """A transposed convolution to twice the size."""
    return nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1)
