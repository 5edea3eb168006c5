"""The R3GAN generator: a learned basis that the code weighs, doubled stage by stage (arXiv 2501.05441, sec. 4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr import network
from ggdr.layers.projection import needed
from ggdr.networks.base import Brief, Sample
from ggdr.networks.r3gan import R3GANGenerator
from ggdr.networks.r3gan.blocks import Transition, initialise, stage
from ggdr.networks.size import channels, ladder
from ggdr.ops.layout import channels_last
from ggdr.ops.precision import computed_in


class Generator(network.Generator):
    """Latent codes, with an embedding of labels beside them, to images."""

    def __init__(self, config: R3GANGenerator, brief: Brief):
        super().__init__(config, brief)
        rungs = ladder(brief.height, brief.width)
        widths = [channels(config.channel_base, config.channel_max, level) for level in range(len(rungs.sides))]
        self.z_dim = config.z_dim
        self.feature_channels = dict(zip(rungs.sides, widths, strict=True))
        self.embed = nn.Linear(brief.labels, config.z_dim, bias=False) if brief.labels else None
        if self.embed is not None:
            initialise(self.embed, slope=1.0)
        self.enter = nn.Linear(config.z_dim * (2 if brief.labels else 1), widths[0], bias=False)
        initialise(self.enter, slope=1.0)
        self.basis = nn.Parameter(torch.randn(widths[0], *rungs.size(0)))
        for level, (side, width) in enumerate(self.feature_channels.items()):
            if level:
                self.add_module(f"up{side}", Transition(widths[level - 1], width, up=2))
            self.add_module(f"b{side}", stage(width, config, rungs.doublings))
        self.toimage = nn.Conv2d(widths[-1], brief.channels, 1, bias=False)
        initialise(self.toimage, slope=1.0)

    def forward(self, z: Tensor, labels: Tensor | None = None, *, sides: tuple[int, ...] = ()) -> Sample:
        """z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W], and each stage's output of `sides`.

        ValueError if a side is not one of the network's, or a label is missing.
        """
        self.check_sides(sides)
        x, features = self.entered(z, labels), {}
        for level, side in enumerate(self.feature_channels):
            x = self.get_submodule(f"up{side}")(x) if level else x
            x = self.get_submodule(f"b{side}")(x)
            if side in sides:
                features[side] = x.float()
        return Sample(self.toimage(x).float(), None, features)

    def entered(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """The basis [N, C, h, w], each channel weighed by code and label."""
        if self.embed is not None:
            given = needed(labels, self.brief.labels).to(z.dtype)
            z = torch.cat([z, self.embed(given).to(z.dtype)], dim=1)
        x = self.basis * self.enter(z)[:, :, None, None]
        return channels_last(x.to(computed_in(x)))

    def entries(self) -> list[Tensor]:
        """The first layer's weights [channels, z_dim]."""
        return [self.enter.weight[:, : self.z_dim]]
