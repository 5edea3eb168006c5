"""The discriminator of Projected GAN: frozen features, randomly mixed, a small head per scale (arXiv 2111.01007)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.equalized import clip_weights
from ggdr.layers.projection import require_labels
from ggdr.layers.spectral import apply_spectral_norm
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.networks.size import pyramid_of
from ggdr.networks.timm import TimmDiscriminatorConfig
from ggdr.networks.timm.backbone import Backbone, RandomFeatureMixing
from ggdr.ops.activation import SLOPE
from ggdr.ops.precision import at_least_float32, without_autocast


class TimmDiscriminator(Discriminator):
    """Maps images to the logits of all positions on all scales."""

    def __init__(self, config: TimmDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        resolutions = pyramid_of(spec.height, spec.width).resolutions[:-1]
        super().__init__(config, spec, extra)
        self.backbone = Backbone(config, spec)
        self.mixing = RandomFeatureMixing(self.backbone.channels, config.mixing)
        in_channels = zip(self.backbone.channels, self.backbone.sizes, strict=True)
        self.judges = nn.ModuleList(PatchHead(config, *each, spec.labels) for each in in_channels)
        first = self.judges[0]
        assert isinstance(first, PatchHead)
        self.sources = {resolution: nearest_index(resolution, first.heights) for resolution in resolutions}
        self.map_channels = {resolution: first.widths[place] for resolution, place in self.sources.items()}

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N, positions] float32, and the maps of the largest scale's head, resized to each resolution.

        The head's layers learn, so a decoder's gradient reaches them; the features below do not learn.
        """
        if self.spec.labels:
            require_labels(labels, self.spec.labels)
        found = [
            judge(maps, labels) for judge, maps in zip(self.judges, self.mixing(self.backbone(image)), strict=True)
        ]
        own, ratio = found[0][1], self.spec.width / self.spec.height
        pyramid = {
            resolution: resize_antialiased(own[place], resolution, round(resolution * ratio))
            for resolution, place in self.sources.items()
        }
        return torch.cat([logits for logits, _ in found], dim=1).float(), pyramid

    def clip(self, limit: float) -> None:
        """Clamp the heads' weights, not those of the frozen features."""
        clip_weights(self.judges, limit)


class PatchHead(nn.Module):
    """Spectrally normalized convolutions that halve maps to about 4 px, and a logit at each remaining position.

    Unlike the paper: a 1x1 convolution comes first, the widths are ours, and there is no batch normalization.
    """

    def __init__(self, config: TimmDiscriminatorConfig, in_channels: int, size: tuple[int, int], labels: int):
        super().__init__()
        self.heights, self.widths = [size[0]], [min(config.channels, config.channel_max)]
        convs, shorter = [nn.Conv2d(in_channels, self.widths[0], 1)], min(size)
        while shorter >= 8:
            shorter //= 2
            self.heights.append(self.heights[-1] // 2)
            self.widths.append(min(2 * self.widths[-1], config.channel_max))
            convs.append(nn.Conv2d(self.widths[-2], self.widths[-1], 4, stride=2, padding=1))
        self.convs = nn.ModuleList(convs)
        self.out = nn.Conv2d(self.widths[-1], 1, 3, padding=1)
        self.embed = nn.Linear(labels, self.widths[-1], bias=False) if labels else None
        apply_spectral_norm(self)

    def forward(self, x: Tensor, labels: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        """Map x [N, in_channels, h, w] to logits [N, positions], and return each convolution's result.

        Labels [N, L] enter by projection (arXiv 1802.05637) at each position.
        """
        made = []
        for conv in self.convs:
            x = F.leaky_relu(conv(x), SLOPE)
            made.append(x)
        with without_autocast(x):
            x = at_least_float32(x)
            logits = self.out(x)
            if self.embed is not None and labels is not None:
                logits = logits + (self.embed(labels.float())[:, :, None, None] * x).sum(dim=1, keepdim=True)
        return logits.flatten(1), made


def nearest_index(resolution: int, heights: list[int]) -> int:
    """Return the index of the height that is nearest to `resolution`, by ratio."""
    return min(range(len(heights)), key=lambda place: max(resolution / heights[place], heights[place] / resolution))


def resize_antialiased(maps: Tensor, height: int, width: int) -> Tensor:
    """Resize maps bilinearly to another size, with antialiasing."""
    if maps.shape[2:] == (height, width):
        return maps
    return F.interpolate(maps, (height, width), mode="bilinear", antialias=True)
