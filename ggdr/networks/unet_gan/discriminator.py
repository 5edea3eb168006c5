"""The discriminator of U-Net GAN: an encoder to a logit per image, a decoder to one per pixel (arXiv 2002.12655)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.projection import projection_direction, projection_logit, require_labels
from ggdr.layers.spectral import apply_spectral_norm
from ggdr.layers.unet import UNetBlock
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec, LogitFactors
from ggdr.networks.base.module import Discriminator
from ggdr.networks.size import pyramid_of
from ggdr.networks.unet_gan import UNetGANDiscriminatorConfig
from ggdr.ops.layout import channels_last
from ggdr.ops.precision import at_least_float32, without_autocast


class UNetGANDiscriminator(Discriminator):
    """Maps images to a logit of each, and of each of their pixels; all layers are spectrally normalized."""

    def __init__(self, config: UNetGANDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        levels = pyramid_of(spec.height, spec.width)
        widths = [min(config.channels << level, config.channel_max) for level in range(levels.doublings)]
        self.map_channels = dict(zip(levels.resolutions, reversed(widths), strict=False))
        steps = pairwise([spec.channels, *widths])
        self.encoder = nn.ModuleList(UNetBlock(i, o, "down", first=level == 0) for level, (i, o) in enumerate(steps))
        self.out = nn.Linear(widths[-1], 1)
        # each step up reads the maps below it and, but for the first, the encoder's of the same size beside them
        inner = widths[-2::-1]
        ups = zip([widths[-1], *(2 * width for width in inner)], [*inner, widths[0]], strict=True)
        self.decoder = nn.ModuleList(UNetBlock(i, o, "up") for i, o in ups)
        self.pixel = nn.Conv2d(widths[0], 1, 1)
        self.embed = self.embed_pixel = None
        if spec.labels:
            self.embed = nn.Linear(spec.labels, widths[-1], bias=False)
            self.embed_pixel = nn.Linear(spec.labels, widths[0], bias=False)
        apply_spectral_norm(self)

    def output(self, logits: Tensor, maps: dict[int, Tensor], labels: Tensor | None = None) -> DiscriminatorOutput:
        """Return logits [N], maps, and logits of pixels, drawn from the maps."""
        return DiscriminatorOutput(logits, maps=maps, pixel_logits=self.pixels(maps, labels))

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N] float32, and each encoder block's maps: resolution r -> [N, map_channels[r], r, r * W /
        H]."""
        code, maps = self.code(image, labels)
        with without_autocast(code):
            return self.out(code)[:, 0] + projection_logit(self.embed, code, labels), maps

    def code(self, image: Tensor, labels: Tensor | None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return the sums of the encoder's last maps [N, C] float32, and its maps; ValueError if labels are missing."""
        if self.spec.labels:
            require_labels(labels, self.spec.labels)
        x, maps = channels_last(image), {}
        for resolution, block in zip(sorted(self.map_channels, reverse=True), self.encoder, strict=True):
            maps[resolution] = x = block(x)
        with without_autocast(x):
            return at_least_float32(F.relu(x)).sum(dim=(2, 3)), maps

    def factors(self, image: Tensor, labels: Tensor | None = None) -> tuple[LogitFactors, dict[int, Tensor]]:
        """Return the sums of the encoder's last maps, and the linear layer's weights with the label's embedding."""
        code, maps = self.code(image, labels)
        with without_autocast(code):
            direction = projection_direction(self.out.weight[0], self.embed, labels)
            return LogitFactors(code, direction, self.out.bias[0]), maps

    def pixels(self, maps: dict[int, Tensor], labels: Tensor | None) -> Tensor:
        """Map the encoder's maps, and labels [N, L], to a logit of each pixel, [N, 1, H, W] float32."""
        first, *others = (maps[resolution] for resolution in sorted(maps))
        x = self.decoder[0](first)
        for block, beside in zip(self.decoder[1:], others, strict=True):
            x = block(torch.cat([x, beside], dim=1))
        with without_autocast(x):
            x = at_least_float32(F.relu(x))
            logits = self.pixel(x)
            if self.embed_pixel is not None and labels is not None:
                logits = logits + (self.embed_pixel(labels.float())[:, :, None, None] * x).sum(dim=1, keepdim=True)
        return logits

    def stages(self) -> list[nn.Module]:
        """Return the encoder's blocks, and the layer of the image's logit."""
        return [*self.encoder, self.out]
