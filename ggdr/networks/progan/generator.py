"""The Progressive GAN generator: blocks that double, an image layer at each size (arXiv 1710.10196, fig. 2)."""

from __future__ import annotations

from torch import Tensor

from ggdr import network
from ggdr.layers.equalized import EqualizedConv2d
from ggdr.layers.growing import Growth
from ggdr.layers.progressive import Doublings
from ggdr.networks.base import Brief, Sample
from ggdr.networks.progan import ProGANGenerator
from ggdr.networks.size import channels, ladder


class Generator(network.Generator):
    """Latent codes to images; the image is what the convolutions give, about [-1, 1]."""

    def __init__(self, config: ProGANGenerator, brief: Brief):
        super().__init__(config, brief)
        rungs = ladder(brief.height, brief.width)
        self.z_dim = config.z_dim
        self.feature_channels = {
            side: channels(config.channel_base, config.channel_max, level) for level, side in enumerate(rungs.sides)
        }
        self.blocks = Doublings(config.z_dim, brief.labels, self.feature_channels, rungs.size(0))
        for side, width in self.feature_channels.items():
            self.add_module(f"torgb{side}", EqualizedConv2d(width, brief.channels, 1))
        self.growth = Growth(rungs.doublings)

    def forward(self, z: Tensor, labels: Tensor | None = None, *, sides: tuple[int, ...] = ()) -> Sample:
        """z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W], and the output of the blocks of `sides`.

        ValueError if a side is not one of the network's, or a label is missing.
        """
        names = list(self.feature_channels)
        maps = self.blocks(z, labels, max((names[self.growth.stage().rung], *sides)))
        image = self.growth.image(lambda rung: self.image_of(names[rung], maps[names[rung]]))
        return Sample(image, None, self.blocks.asked(maps, sides))

    def image_of(self, side: int, x: Tensor) -> Tensor:
        """The image [N, C, h, w] float32 of a side's maps."""
        return self.get_submodule(f"torgb{side}")(x).float()

    def entries(self) -> list[Tensor]:
        """The first layer's weights [channels * h * w, z_dim]."""
        return [self.blocks.matrix()]

    def grow(self, level: float) -> None:
        self.growth.grow(level)
