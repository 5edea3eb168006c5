"""The MSG-GAN generator: blocks that double the maps, and an image of each (arXiv 1903.06048, fig. 2)."""

from __future__ import annotations

from torch import Tensor

from ggdr import network
from ggdr.layers.equalized import EqualizedConv2d
from ggdr.layers.progressive import Doublings
from ggdr.networks.base import Brief, Sample
from ggdr.networks.msg_gan import MSGGANGenerator
from ggdr.networks.size import channels, ladder


class Generator(network.Generator):
    """Latent codes to images of all sizes; they are what the convolutions give, about [-1, 1]."""

    def __init__(self, config: MSGGANGenerator, brief: Brief):
        super().__init__(config, brief)
        rungs = ladder(brief.height, brief.width)
        self.z_dim = config.z_dim
        self.feature_channels = {
            side: channels(config.channel_base, config.channel_max, level) for level, side in enumerate(rungs.sides)
        }
        self.blocks = Doublings(config.z_dim, brief.labels, self.feature_channels, rungs.size(0))
        for side, width in self.feature_channels.items():
            self.add_module(f"torgb{side}", EqualizedConv2d(width, brief.channels, 1))

    def forward(self, z: Tensor, labels: Tensor | None = None, *, sides: tuple[int, ...] = ()) -> Sample:
        """z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W], smaller ones, and the maps of `sides`.

        ValueError if a side is not one of the network's, or a label is missing.
        """
        maps = self.blocks(z, labels, self.brief.height)
        scales = {side: self.get_submodule(f"torgb{side}")(x).float() for side, x in maps.items()}
        return Sample(scales.pop(self.brief.height), None, self.blocks.asked(maps, sides), scales)

    def entries(self) -> list[Tensor]:
        """The first layer's weights [channels * h * w, z_dim]."""
        return [self.blocks.matrix()]
