"""The MSG-GAN generator: upsampling blocks, and an image at each resolution (arXiv 1903.06048, fig. 2)."""

from __future__ import annotations

from torch import Tensor

from ggdr.layers.equalized import EqualizedConv2d
from ggdr.layers.progressive import GrowingBlocks
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.msg_gan import MSGGANGeneratorConfig
from ggdr.networks.size import channels, pyramid_of


class MSGGANGenerator(Generator):
    """Maps latent codes to images of all resolutions, unbounded, about [-1, 1]."""

    def __init__(self, config: MSGGANGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec)
        levels = pyramid_of(spec.height, spec.width)
        self.z_dim = config.z_dim
        self.feature_channels = {
            resolution: channels(config.channel_base, config.channel_max, level)
            for level, resolution in enumerate(levels.resolutions)
        }
        self.blocks = GrowingBlocks(config.z_dim, spec.labels, self.feature_channels, levels.size(0))
        for resolution, width in self.feature_channels.items():
            self.add_module(f"torgb{resolution}", EqualizedConv2d(width, spec.channels, 1))

    def forward(self, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W], smaller ones, and the maps of
        `resolutions`.

        UserError if a resolution is not one of the network's, or a label is missing.
        """
        maps = self.blocks(z, labels, self.spec.height)
        scales = {resolution: self.get_submodule(f"torgb{resolution}")(x).float() for resolution, x in maps.items()}
        return GeneratorOutput(scales.pop(self.spec.height), None, self.blocks.select(maps, resolutions), scales)

    def input_matrices(self) -> list[Tensor]:
        """Return the first layer's weights [channels * h * w, z_dim]."""
        return [self.blocks.matrix()]
