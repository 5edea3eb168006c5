"""NICE-GAN's generator: codes modulate residual blocks, then sub-pixel convolutions double them (arXiv 2003.00273)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.adaptive_norm import AdaLIN, InstanceLayerNorm2d
from ggdr.layers.projection import with_label_planes
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Translator
from ggdr.networks.nice import NICETranslatorConfig
from ggdr.networks.size import doublings_between
from ggdr.ops.layout import channels_last


class NICETranslator(Translator):
    """Maps codes to images."""

    def __init__(self, config: NICETranslatorConfig, spec: ImageSpec, source: ImageSpec):
        super().__init__(config, spec, source)
        size = (source.height, source.width)
        doublings = doublings_between(size, (spec.height, spec.width), config.name)
        self.size_divisor = 1 if config.light else 0
        width = config.channels << doublings
        self.enter = reflected_conv(source.channels + spec.labels, width, 3)
        self.norm = InstanceLayerNorm2d(width)
        self.style = NICEStyle(width, 1 if config.light else size[0] * size[1])
        self.blocks = nn.ModuleList(NICEBlock(width) for _ in range(config.blocks))
        self.up = nn.ModuleList(NICEUpLayer(width >> level) for level in range(doublings))
        self.toimage = reflected_conv(config.channels, spec.channels, 7, bias=False)
        self.feature_channels = {size[0] << level: width >> level for level in range(doublings + 1)}

    def forward(
        self,
        source: Tensor,
        labels: Tensor | None = None,
        *,
        z: Tensor | None = None,
        resolutions: tuple[int, ...] = (),
    ) -> GeneratorOutput:
        """Map codes [N, K, h, w] and labels [N, L] to images [N, C, H, W], and the maps of `resolutions`: those that
        follow the residual blocks, and each doubling."""
        self.check_resolutions(resolutions)
        x = self.enter(channels_last(with_label_planes(source, labels, self.spec.labels)))
        x = F.relu(self.norm(x))
        scale, shift = self.style(x)
        for block in self.blocks:
            x = block(x, scale, shift)
        maps = [x]
        for layer in self.up:
            maps.append(layer(maps[-1]))
        features = {r: x.float() for r, x in zip(self.feature_channels, maps, strict=True) if r in resolutions}
        return GeneratorOutput(torch.tanh(self.toimage(maps[-1]).float()), features=features)


class NICEStyle(nn.Module):
    """Linear layers from maps to one scale and shift of each channel, for all blocks; none has a bias."""

    def __init__(self, channels: int, pixels: int):
        """Build the layers; `pixels`: of each map; 1: they read the maps' means."""
        super().__init__()
        self.pixels = pixels
        self.fc0 = nn.Linear(channels * pixels, channels, bias=False)
        self.fc1 = nn.Linear(channels, channels, bias=False)
        self.scale = nn.Linear(channels, channels, bias=False)
        self.shift = nn.Linear(channels, channels, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x [N, C, h, w] to scale and shift, both [N, C]."""
        # a sum, since the gradient of a mean comes in the other order in memory
        x = x.flatten(1) if self.pixels > 1 else x.sum(dim=(2, 3)) / (x.shape[2] * x.shape[3])
        x = F.relu(self.fc1(F.relu(self.fc0(x))))
        return self.scale(x), self.shift(x)


class NICEBlock(nn.Module):
    """Two 3x3 convolutions with adaptive layer-instance normalization, added to what they read."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv0, self.conv1 = (reflected_conv(channels, channels, 3, bias=False) for _ in range(2))
        self.norm0, self.norm1 = AdaLIN(channels), AdaLIN(channels)

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Map x [N, C, h, w] to the same shape; scale and shift [N, C] are those of the normalizations."""
        y = F.relu(self.norm0(self.conv0(x), scale, shift))
        return x + self.norm1(self.conv1(y), scale, shift)


class NICEUpLayer(nn.Module):
    """A convolution to half of the channels, then one whose channels become four pixels, each normalized."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv0 = reflected_conv(channels, channels // 2, 3, bias=False)
        self.norm0 = InstanceLayerNorm2d(channels // 2)
        self.conv1 = nn.Conv2d(channels // 2, 2 * channels, 1)
        self.norm1 = InstanceLayerNorm2d(channels // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, channels, h, w] to [N, channels / 2, 2 * h, 2 * w]."""
        x = F.relu(self.norm0(self.conv0(x)))
        return F.relu(self.norm1(channels_last(F.pixel_shuffle(self.conv1(x), 2))))


def reflected_conv(in_channels: int, out_channels: int, kernel: int, bias: bool = True) -> nn.Conv2d:
    """Return a convolution that keeps the size, with reflected edges."""
    return nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=bias, padding_mode="reflect")
