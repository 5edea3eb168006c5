"""The discriminator of OASIS: a U-Net that tells the class of each pixel (arXiv 2012.04781, app. A)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.projection import require_labels
from ggdr.layers.spectral import apply_spectral_norm
from ggdr.layers.unet import UNetBlock
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.networks.oasis import OASISDiscriminatorConfig
from ggdr.networks.size import pyramid_of
from ggdr.ops.activation import SLOPE
from ggdr.ops.layout import channels_last
from ggdr.ops.pixel_classes import log_odds
from ggdr.ops.precision import at_least_float32, without_autocast


class OASISDiscriminator(Discriminator):
    """Maps images to logits of each pixel's class, and to the log-odds of each pixel's not being a fake."""

    def __init__(self, config: OASISDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        levels = pyramid_of(spec.height, spec.width)
        widths = [min(config.channels << level // 2, config.channel_max) for level in range(levels.doublings)]
        self.map_channels = dict(zip(levels.resolutions, reversed(widths), strict=False))
        steps = enumerate(pairwise([spec.channels, *widths]))
        self.encoder = nn.ModuleList(UNetBlock(*step, "down", first=level == 0, slope=SLOPE) for level, step in steps)
        # each step up reads the maps below it and, but for the first, the encoder's of the same size beside them
        inner, last = widths[-2::-1], max(widths[0] // 2, 1)
        ups = zip([widths[-1], *(2 * width for width in inner)], [*inner, last], strict=True)
        self.decoder = nn.ModuleList(UNetBlock(*step, "up", slope=SLOPE) for step in ups)
        self.classes = nn.Conv2d(last, max(extra.class_logits, 2), 1)
        self.embed = nn.Linear(spec.labels, last, bias=False) if spec.labels else None
        apply_spectral_norm(self)

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """Map image [N, C, H, W] in [-1, 1] and labels [N, L] to logits [N, H * W], class logits and maps; ValueError
        if labels are missing."""
        if self.spec.labels:
            require_labels(labels, self.spec.labels)
        x, maps = channels_last(image), {}
        for resolution, block in zip(sorted(self.map_channels, reverse=True), self.encoder, strict=True):
            maps[resolution] = x = block(x)
        classes = self.pixels(maps, labels)
        return DiscriminatorOutput(log_odds(classes).flatten(1), maps=maps, class_logits=classes)

    def pixels(self, maps: dict[int, Tensor], labels: Tensor | None) -> Tensor:
        """Map the encoder's maps, and labels [N, L], to class logits of each pixel, [N, K + 1, H, W] float32."""
        first, *others = (maps[resolution] for resolution in sorted(maps))
        x = self.decoder[0](first)
        for block, beside in zip(self.decoder[1:], others, strict=True):
            x = block(torch.cat([x, beside], dim=1))
        with without_autocast(x):
            x = F.leaky_relu(at_least_float32(x), SLOPE)
            logits = self.classes(x)
            if self.embed is None or labels is None:
                return logits
            # what the labels have to say is whether it is a fake
            match = (self.embed(labels.float())[:, :, None, None] * x).sum(dim=1, keepdim=True)
            return torch.cat([logits[:, :-1], logits[:, -1:] - match], dim=1)

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N, H * W] float32, and each encoder block's maps: resolution r -> [N, map_channels[r], r, r *
        W / H]."""
        said = self(image, labels)
        return said.logits, said.maps

    def stages(self) -> list[nn.Module]:
        """Return the encoder's blocks."""
        return [*self.encoder]
