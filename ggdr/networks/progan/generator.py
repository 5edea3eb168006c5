"""The Progressive GAN generator: upsampling blocks, an image layer at each resolution (arXiv 1710.10196, fig. 2)."""

from __future__ import annotations

from torch import Tensor

from ggdr.layers.equalized import EqualizedConv2d
from ggdr.layers.growing import Growth
from ggdr.layers.progressive import GrowingBlocks
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.progan import ProGANGeneratorConfig
from ggdr.networks.size import channels, pyramid_of


class ProGANGenerator(Generator):
    """Maps latent codes to images, unbounded, about [-1, 1]."""

    def __init__(self, config: ProGANGeneratorConfig, spec: ImageSpec):
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
        self.growth = Growth(levels.doublings)

    def forward(self, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W], and the maps of `resolutions`.

        UserError if a resolution is not one of the network's, or a label is missing.
        """
        names = list(self.feature_channels)
        maps = self.blocks(z, labels, max((names[self.growth.stage().level], *resolutions)))
        image = self.growth.image(lambda rung: self.image_of(names[rung], maps[names[rung]]))
        return GeneratorOutput(image, None, self.blocks.select(maps, resolutions))

    def image_of(self, resolution: int, x: Tensor) -> Tensor:
        """Return the image [N, C, h, w] float32 of the maps of a resolution."""
        return self.get_submodule(f"torgb{resolution}")(x).float()

    def input_matrices(self) -> list[Tensor]:
        """Return the first layer's weights [channels * h * w, z_dim]."""
        return [self.blocks.matrix()]

    def grow(self, level: float) -> None:
        self.growth.grow(level)
