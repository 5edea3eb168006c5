"""The SNGAN generator: a linear layer, then residual upsampling blocks (arXiv 1802.05957, app. B)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.norm import BatchNorm2d
from ggdr.layers.projection import require_labels
from ggdr.layers.residual import UpBlock
from ggdr.networks.base import GeneratorConfig, GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.size import doubling_channels, pyramid_of
from ggdr.networks.sngan import SNGANGeneratorConfig
from ggdr.networks.sngan.init import glorot
from ggdr.ops.layout import channels_last


class ResidualGenerator(Generator):
    """Residual generator with a code for each block; a subclass defines the codes and the initial weights."""

    def __init__(self, config: GeneratorConfig, spec: ImageSpec, widths: tuple[int, int], entry: int, code: int):
        """Build the network; `widths`: channels at the image's resolution, and at most. `entry`, `code`: widths of
        codes.

        `entry` is the width of the linear layer's code, `code` of each block's.
        """
        super().__init__(config, spec)
        levels = pyramid_of(spec.height, spec.width)
        self.base = levels.size(0)
        self.feature_channels = dict(
            zip(levels.resolutions, doubling_channels(*widths, levels.doublings + 1), strict=True)
        )
        in_channels, *others = self.feature_channels.values()
        self.fc = nn.Linear(entry, in_channels * self.base[0] * self.base[1])
        for resolution, out_channels in zip(levels.resolutions[1:], others, strict=True):
            self.add_module(f"b{resolution}", self.stage(resolution, in_channels, out_channels, code))
            in_channels = out_channels
        self.norm = BatchNorm2d(in_channels)
        self.toimage = nn.Conv2d(in_channels, spec.channels, 3, padding=1)

    def stage(self, resolution: int, in_channels: int, out_channels: int, code: int) -> nn.Module:
        """Return the block that upsamples to this resolution, modulated by a code."""
        return UpBlock(in_channels, out_channels, code)

    def synthesize_codes(
        self, codes: Sequence[Tensor | None], resolutions: tuple[int, ...]
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Map codes [N, D] of the linear layer and of each block to images and the maps of `resolutions`, all float32.

        UserError if a resolution is not one of the network's.
        """
        self.check_resolutions(resolutions)
        x = channels_last(self.fc(codes[0]).unflatten(1, (-1, *self.base)))
        features = {}
        for resolution, code in zip(self.feature_channels, codes, strict=True):
            if resolution != self.base[0]:
                x = self.get_submodule(f"b{resolution}")(x, code)
            if resolution in resolutions:
                features[resolution] = x.float()
        return torch.tanh(self.toimage(F.relu(self.norm(x))).float()), features


class SNGANGenerator(ResidualGenerator):
    """Maps latent codes to images; labels scale and shift batch normalization."""

    def __init__(self, config: SNGANGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec, (config.channels, config.channel_max), config.z_dim, spec.labels)
        self.z_dim = config.z_dim
        glorot(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W], and the maps of `resolutions`.

        UserError if a resolution is not one of the network's, or a label is missing.
        """
        condition = require_labels(labels, self.spec.labels).float() if self.spec.labels else None
        codes = [z, *[condition] * (len(self.feature_channels) - 1)]
        image, features = self.synthesize_codes(codes, resolutions)
        return GeneratorOutput(image, None, features)

    def input_matrices(self) -> list[Tensor]:
        """Return the linear layer's weights [channels * h * w, z_dim]."""
        return [self.fc.weight]
