"""U-GAT-IT's generator: halvings, attention, residual blocks that adapt, doublings (arXiv 1907.10830, sec. 2.1.1)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.adaptive_norm import InstanceLayerNorm2d, clip_shares
from ggdr.layers.adaptive_residual import AdaLINBlock, StyleOfMaps
from ggdr.layers.cam import Attention
from ggdr.layers.norm import normalize_each
from ggdr.layers.projection import with_label_planes
from ggdr.layers.reflected import reflected_conv
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Translator
from ggdr.networks.size import check_halvings, doublings_between
from ggdr.networks.ugatit import UGATITTranslatorConfig
from ggdr.ops.layout import channels_last
from ggdr.ops.scales import upsample_nearest


class UGATITTranslator(Translator):
    """Maps images to images, and says which domain it takes them for."""

    def __init__(self, config: UGATITTranslatorConfig, spec: ImageSpec, source: ImageSpec):
        super().__init__(config, spec, source)
        size, name = (source.height, source.width), config.name
        check_halvings(size, config.halvings, name)
        low = (size[0] >> config.halvings, size[1] >> config.halvings)
        doublings = doublings_between(low, (spec.height, spec.width), name)
        self.size_divisor = 1 << config.halvings if config.light else 0
        widths = [config.channels << level for level in range(config.halvings + 1)]
        width = widths[-1]
        self.enter = reflected_conv(source.channels + spec.labels, widths[0], 7, bias=False)
        self.down = nn.ModuleList(reflected_conv(i, o, 3, 2, bias=False) for i, o in pairwise(widths))
        self.plain_blocks = nn.ModuleList(InstanceNormBlock(width) for _ in range(config.blocks))
        self.attention = Attention(width)
        self.style = StyleOfMaps(width, 1 if config.light else low[0] * low[1])
        self.blocks = nn.ModuleList(AdaLINBlock(width, "clipped") for _ in range(config.blocks))
        widths = [max(width >> level, config.channels) for level in range(doublings + 1)]
        self.up = nn.ModuleList(UGATITUpLayer(i, o) for i, o in pairwise(widths))
        self.toimage = reflected_conv(widths[-1], spec.channels, 7, bias=False)
        self.feature_channels = {low[0] << level: width for level, width in enumerate(widths)}

    def forward(
        self,
        source: Tensor,
        labels: Tensor | None = None,
        *,
        z: Tensor | None = None,
        resolutions: tuple[int, ...] = (),
    ) -> GeneratorOutput:
        """Map source [N, Cs, Hs, Ws] in [-1, 1] and labels [N, L] to images [N, C, H, W], the maps of `resolutions`
        (those that follow the residual blocks, and each doubling), and the classifiers' logits [N, 2], "cam"."""
        self.check_resolutions(resolutions)
        x, logits = self.attended(source, labels)
        scale, shift = self.style(x)
        for block in self.blocks:
            x = block(x, scale, shift)
        maps = [x]
        for layer in self.up:
            maps.append(layer(maps[-1]))
        features = {r: x.float() for r, x in zip(self.feature_channels, maps, strict=True) if r in resolutions}
        image = torch.tanh(self.toimage(maps[-1]).float())
        return GeneratorOutput(image, features=features, head_outputs={"cam": logits})

    def attended(self, source: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the maps [N, K, h, w] that the attention chooses, whose sum over K is the heat map, and the logits
        [N, 2] of its classifiers: above 0 where they take the image for one of the source's domain."""
        x = self.enter(channels_last(with_label_planes(source, labels, self.spec.labels)))
        # planes of a label are the same in all places: normalized image by image nothing would be left of them
        x = F.relu(x if self.spec.labels else normalize_each(x))
        for conv in self.down:
            x = F.relu(normalize_each(conv(x)))
        for block in self.plain_blocks:
            x = block(x)
        x, logits = self.attention(x)
        return F.relu(x), logits

    def heat_map(self, source: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the sum [N, 1, h, w] of the maps that the attention chooses."""
        return self.attended(source, labels)[0].sum(dim=1, keepdim=True)

    def after_update(self, kimg: float) -> None:
        """Clip the shares of normalization as well (Kim et al. 2020, eq. 2)."""
        super().after_update(kimg)
        clip_shares(self)


class InstanceNormBlock(nn.Module):
    """Two 3x3 convolutions with instance normalization, added to what they read."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv0, self.conv1 = (reflected_conv(channels, channels, 3, bias=False) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """Map x [N, C, h, w] to the same shape."""
        return x + normalize_each(self.conv1(F.relu(normalize_each(self.conv0(x)))))


class UGATITUpLayer(nn.Module):
    """A doubling by nearest neighbours, a 3x3 convolution, layer-instance normalization and ReLU."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv = reflected_conv(in_channels, out_channels, 3, bias=False)
        self.norm = InstanceLayerNorm2d(out_channels, "clipped")

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, h, w] to [N, out_channels, 2 * h, 2 * w]."""
        return F.relu(self.norm(self.conv(upsample_nearest(x))))
