"""NICE-GAN's generator: codes modulate residual blocks, then sub-pixel convolutions double them (arXiv 2003.00273)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.adaptive_norm import InstanceLayerNorm2d
from ggdr.layers.adaptive_residual import AdaLINBlock, StyleOfMaps
from ggdr.layers.projection import with_label_planes
from ggdr.layers.reflected import reflected_conv
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
        self.norm = InstanceLayerNorm2d(width, "softmax")
        self.style = StyleOfMaps(width, 1 if config.light else size[0] * size[1])
        self.blocks = nn.ModuleList(AdaLINBlock(width, "softmax") for _ in range(config.blocks))
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


class NICEUpLayer(nn.Module):
    """A convolution to half of the channels, then one whose channels become four pixels, each normalized."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv0 = reflected_conv(channels, channels // 2, 3, bias=False)
        self.norm0 = InstanceLayerNorm2d(channels // 2, "softmax")
        self.conv1 = nn.Conv2d(channels // 2, 2 * channels, 1)
        self.norm1 = InstanceLayerNorm2d(channels // 2, "softmax")

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, channels, h, w] to [N, channels / 2, 2 * h, 2 * w]."""
        x = F.relu(self.norm0(self.conv0(x)))
        return F.relu(self.norm1(channels_last(F.pixel_shuffle(self.conv1(x), 2))))
