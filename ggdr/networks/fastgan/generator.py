"""The FastGAN generator: gated upsampling, large maps weighted by small ones (arXiv 2101.04775, sec. 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr.layers.norm import BatchNorm2d
from ggdr.layers.projection import require_labels
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.fastgan import FastGANGeneratorConfig
from ggdr.networks.fastgan.blocks import GatedConv, GatedUpsampleBlock, initialise
from ggdr.networks.size import Pyramid, channels, pyramid_of
from ggdr.ops.activation import SLOPE


class FastGANGenerator(Generator):
    """Maps latent codes, with labels beside them, to images."""

    def __init__(self, config: FastGANGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec)
        levels = pyramid_of(spec.height, spec.width)
        widths = [channels(config.channel_base, config.channel_max, level) for level in range(len(levels.resolutions))]
        self.z_dim = config.z_dim
        self.feature_channels = dict(zip(levels.resolutions, widths, strict=True))
        enter = nn.ConvTranspose2d(config.z_dim + spec.labels, 2 * widths[0], levels.size(0), bias=False)
        self.add_module(f"b{levels.height}", GatedConv(enter, BatchNorm2d(2 * widths[0])))
        for resolution, in_channels, out_channels in zip(levels.resolutions[1:], widths, widths[1:], strict=False):
            self.add_module(f"b{resolution}", GatedUpsampleBlock(in_channels, out_channels, BatchNorm2d))
        self.sources = sources(levels, config)
        for resolution, source in self.sources.items():
            self.add_module(
                f"skip{resolution}",
                SkipLayerExcitation(self.feature_channels[source], self.feature_channels[resolution]),
            )
        self.toimage = nn.Conv2d(widths[-1], spec.channels, 3, padding=1)
        initialise(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W], and the excited maps of `resolutions`.

        UserError if a resolution is not one of the network's, or a label is missing.
        """
        self.check_resolutions(resolutions)
        x = self.concatenate_input(z, labels)
        maps: dict[int, Tensor] = {}
        for resolution in self.feature_channels:
            x = self.get_submodule(f"b{resolution}")(x)
            if resolution in self.sources:
                x = x * self.get_submodule(f"skip{resolution}")(maps[self.sources[resolution]])
            maps[resolution] = x
        image = torch.tanh(self.toimage(x).float())
        return GeneratorOutput(image, None, {resolution: maps[resolution].float() for resolution in resolutions})

    def concatenate_input(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Concatenate code and label to [N, z_dim + L, 1, 1]."""
        if self.spec.labels:
            z = torch.cat([z, require_labels(labels, self.spec.labels).to(z.dtype)], dim=1)
        return z[:, :, None, None]

    def input_matrices(self) -> list[Tensor]:
        """Return the first layer's weights [2 * channels * h * w, z_dim]."""
        first = next(iter(self.feature_channels))
        weight = self.get_submodule(f"b{first}.conv").get_parameter("weight")
        return [weight[: self.z_dim].flatten(1).T]


class SkipLayerExcitation(nn.Module):
    """Skip-layer excitation: a weight in [0, 1] for each channel of large maps, computed from small ones (eq. 1)."""

    def __init__(self, in_channels: int, out_channels: int):
        """Build the layer; `in_channels`: of the small maps. `out_channels`: of the large ones."""
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.conv0 = nn.Conv2d(in_channels, out_channels, 4)
        self.conv1 = nn.Conv2d(out_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [N, in_channels, h, w] to weights [N, out_channels, 1, 1]."""
        hidden = nn.functional.leaky_relu(self.conv0(self.pool(x)), SLOPE)
        return self.conv1(hidden).sigmoid()


def sources(levels: Pyramid, config: FastGANGeneratorConfig) -> dict[int, int]:
    """Map the resolution of excited maps to that of the maps which excite them."""
    # Unlike the paper, whose images have 256 px or more: on small ones excitation reaches less far.
    reach = min(config.reach, levels.doublings - 1)
    lower = levels.resolutions[1 : len(levels.resolutions) - reach][: config.skips] if reach else []
    return {resolution << reach: resolution for resolution in lower}
