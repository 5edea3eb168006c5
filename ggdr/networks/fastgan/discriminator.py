"""The FastGAN discriminator: an encoder, and decoders that reconstruct its image (arXiv 2101.04775, sec. 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.projection import projection_logit
from ggdr.layers.spectral import apply_spectral_norm
from ggdr.networks.base import ExtraOutputs, ImageSpec, Reconstruction
from ggdr.networks.base.module import Discriminator
from ggdr.networks.fastgan import FastGANDiscriminatorConfig
from ggdr.networks.fastgan.blocks import BatchStatistics, GatedUpsampleBlock, initialise
from ggdr.networks.size import channels, pyramid_of
from ggdr.ops.activation import SLOPE
from ggdr.ops.layout import channels_last
from ggdr.ops.precision import at_least_float32, without_autocast

DOUBLINGS = 4
"""Largest number of upsampling blocks of a decoder: from maps of 8 px to images of 128 px."""


class FastGANDiscriminator(Discriminator):
    """Maps images to logits; batch normalization uses the batch, in evaluation as in training."""

    def __init__(self, config: FastGANDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        levels = pyramid_of(spec.height, spec.width)
        widths = [channels(config.channel_base, config.channel_max, level) for level in range(len(levels.resolutions))]
        self.map_channels = dict(zip(levels.resolutions[:-1], widths, strict=False))
        self.fromimage = nn.Conv2d(spec.channels, widths[-1], 3, padding=1)
        for resolution, out_channels, in_channels in zip(levels.resolutions, widths, widths[1:], strict=False):
            self.add_module(f"b{2 * resolution}", FastGANBlock(in_channels, out_channels))
        self.out = nn.Sequential(nn.Conv2d(widths[0], widths[0], 1), nn.LeakyReLU(SLOPE))
        self.logit = nn.Conv2d(widths[0], 1, levels.size(0))
        self.embed = nn.Linear(spec.labels, widths[0], bias=False) if spec.labels else None
        initialise(self)
        if config.spectral:
            apply_spectral_norm(self)
        # the paper's resolutions, 8 and 16 px, where the base has 4 px and the image 32 px or more
        self.whole_side, self.part_side = (levels.resolutions[min(level, levels.doublings - 1)] for level in (1, 2))
        self.whole, self.part = (self.decoder(config, resolution) for resolution in (self.whole_side, self.part_side))

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N] float32, and each block's maps: resolution r -> [N, map_channels[r], r, r * W / H]."""
        x, maps = self.fromimage(channels_last(image)), {}
        for resolution in sorted(self.map_channels, reverse=True):
            maps[resolution] = x = self.get_submodule(f"b{2 * resolution}")(x)
        with without_autocast(x):
            x = self.out(at_least_float32(x))
            return self.logit(x).flatten() + projection_logit(self.embed, x.sum(dim=(2, 3)), labels), maps

    def reconstruct(self, maps: dict[int, Tensor], image: Tensor) -> dict[str, Reconstruction]:
        """Reconstruct "whole": the image, from its small maps; "part": a random quarter of it, from larger maps.

        A reconstruction has 16 times the resolution of the maps it is made from, at most the image's.
        """
        height, width = maps[self.part_side].shape[2:]
        rows, columns = max(height // 2, 1), max(width // 2, 1)
        top, left = (int(torch.randint(free + 1, [], device="cpu")) for free in (height - rows, width - columns))
        scale = self.spec.height // height
        cut = maps[self.part_side][:, :, top : top + rows, left : left + columns]
        seen = image[:, :, top * scale : (top + rows) * scale, left * scale : (left + columns) * scale]
        return {
            "whole": reconstructions(self.whole(maps[self.whole_side]), image),
            "part": reconstructions(self.part(cut), seen),
        }

    def decoder(self, config: FastGANDiscriminatorConfig, resolution: int) -> nn.Sequential:
        """Return gated upsampling blocks for maps of this resolution, and the layer that makes the image."""
        doublings = min(DOUBLINGS, (self.spec.height // resolution).bit_length() - 1)
        widths = [max(config.decoder_channels >> level, 1) for level in range(doublings)]
        in_channels = [self.map_channels[resolution], *widths]
        layers = [GatedUpsampleBlock(i, o, BatchStatistics) for i, o in zip(in_channels, widths, strict=False)]
        decoder = nn.Sequential(*layers, nn.Conv2d(widths[-1], self.spec.channels, 3, padding=1), nn.Tanh())
        initialise(decoder)
        return decoder

    def stages(self) -> list[nn.Module]:
        """Return the first layer with its block, each other block, and what makes the logit."""
        blocks = [self.get_submodule(f"b{2 * resolution}") for resolution in sorted(self.map_channels, reverse=True)]
        return [nn.ModuleList([self.fromimage, blocks[0]]), *blocks[1:], nn.ModuleList([self.out, self.logit])]


class FastGANBlock(nn.Module):
    """Two convolutions, the first of which halves the maps, averaged with a shorter path beside them (fig. 4)."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv0 = nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
        self.conv1 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.skip = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.norm0, self.norm1, self.norm2 = (BatchStatistics(out_channels) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to [N, out_channels, H / 2, W / 2]."""
        y = F.leaky_relu(self.norm0(self.conv0(x)), SLOPE)
        y = F.leaky_relu(self.norm1(self.conv1(y)), SLOPE)
        return (y + F.leaky_relu(self.norm2(self.skip(F.avg_pool2d(x, 2))), SLOPE)) / 2


def reconstructions(drawn: Tensor, true: Tensor) -> Reconstruction:
    """Pair a reconstruction with its target, resized to it."""
    height, width = drawn.shape[2:]
    return Reconstruction(drawn.float(), F.adaptive_avg_pool2d(true, (height, width)))
