"""pix2pix's generator: a U-Net, whose doublings see the maps of its halvings (arXiv 1611.07004, app. 6.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.layers.dropout import Dropout
from ggdr.layers.norm import BatchNorm2d, InstanceNorm2d
from ggdr.layers.projection import with_label_planes
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Translator
from ggdr.networks.dcgan.init import initialise
from ggdr.networks.size import check_same_size, even_halvings
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.ops.activation import SLOPE
from ggdr.ops.layout import channels_last

WIDEST = 8
"""Widest maps, times the settings' channels."""
UNDROPPED = 5
"""Halvings of a network without dropout; each one more has a further doubling with it, up to `DROPPED`."""
DROPPED = 3
MOST_MAPS, LEAST_SIDE = 4, 4
"""Halvings whose maps are compared place by place, at most, and the least side of such maps, pixels."""


class UNetTranslator(Translator):
    """Maps images to images of the same size."""

    def __init__(self, config: UNetTranslatorConfig, spec: ImageSpec, source: ImageSpec):
        super().__init__(config, spec, source)
        size = (source.height, source.width)
        check_same_size(size, (spec.height, spec.width), config.name)
        count = min(config.halvings, even_halvings(*size))
        if not count:
            raise UserError(f"{config.name!r} halves its images, and {size[0]} x {size[1]} px are odd: resize them.")
        self.size_divisor = 1 << count
        widths = [min(1 << level, WIDEST) * config.channels for level in range(count)]
        self.down = nn.ModuleList()
        in_channels = source.channels + spec.labels
        for level, width in enumerate(widths):
            normed = 0 < level < count - 1
            self.down.append(UNetLayer(config, in_channels, width, up=False, normed=normed))
            in_channels = width
        dropped = min(max(count - UNDROPPED, 0), DROPPED)
        self.up = nn.ModuleList()
        for level in reversed(range(1, count)):  # the innermost doubling first
            inner = level == count - 1
            dropout = not inner and level > count - 2 - dropped
            in_channels = widths[level] * (1 if inner else 2)
            self.up.append(UNetLayer(config, in_channels, widths[level - 1], up=True, dropout=dropout))
        in_channels = widths[0] * (1 if count == 1 else 2)
        self.toimage = nn.ConvTranspose2d(in_channels, spec.channels, 4, stride=2, padding=1)
        self.feature_channels = {size[0] >> level: widths[level - 1] for level in reversed(range(1, count))}
        places = [level for level in range(min(count, MOST_MAPS)) if min(size) >> (level + 1) >= LEAST_SIDE]
        self.encoder_channels = (source.channels, *(widths[level] for level in places))
        initialise(self, config.init)

    def forward(
        self,
        source: Tensor,
        labels: Tensor | None = None,
        *,
        z: Tensor | None = None,
        resolutions: tuple[int, ...] = (),
    ) -> GeneratorOutput:
        """Map source [N, Cs, H, W] in [-1, 1] and labels [N, L] to images [N, C, H, W], and the maps of `resolutions`,
        which its doublings make."""
        self.check_resolutions(resolutions)
        beside = self.halved(source, labels, len(self.down))
        x, features = F.relu(beside.pop()), {}
        for layer in self.up:
            x, skipped = F.relu(layer(x)), F.relu(beside.pop())
            if x.shape[2] in resolutions:
                features[x.shape[2]] = x.float()
            x = torch.cat([skipped, x], dim=1)
        return GeneratorOutput(torch.tanh(self.toimage(x).float()), features=features)

    def halved(self, source: Tensor, labels: Tensor | None, count: int) -> list[Tensor]:
        """Return the maps of the first `count` halvings, before the ReLU that follows each."""
        x, maps = channels_last(with_label_planes(source, labels, self.spec.labels)), list[Tensor]()
        for layer in self.down[:count]:
            x = layer(F.leaky_relu(x, SLOPE) if maps else x)
            maps.append(x)
        return maps

    def encoder_maps(self, source: Tensor, labels: Tensor | None = None) -> list[Tensor]:
        """Return the image, and the maps of its first halvings: four at most, of four pixels a side or more."""
        return [source, *self.halved(source, labels, len(self.encoder_channels) - 1)]


class UNetLayer(nn.Module):
    """A 4x4 convolution that halves or doubles the maps, normalization, and dropout."""

    def __init__(
        self,
        config: UNetTranslatorConfig,
        in_channels: int,
        out_channels: int,
        *,
        up: bool,
        normed: bool = True,
        dropout: bool = False,
    ):
        """Build the layer; `normed`: it is normalized. `dropout`: numbers are dropped."""
        super().__init__()
        batch = config.norm == "batch"  # which would take a bias out again, where it follows
        conv = nn.ConvTranspose2d if up else nn.Conv2d
        self.conv = conv(in_channels, out_channels, 4, stride=2, padding=1, bias=not batch)
        self.norm: nn.Module | None = None
        if normed:
            self.norm = BatchNorm2d(out_channels, batch_at_test=config.batch_at_test) if batch else InstanceNorm2d()
        self.dropout = Dropout(config.dropout, config.dropout_at_test) if dropout and config.dropout else None

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, h, w] to [N, out_channels, H, W]."""
        x = channels_last(self.conv(x))
        x = x if self.norm is None else self.norm(x)
        return x if self.dropout is None else self.dropout(x)
