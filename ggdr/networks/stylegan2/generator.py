"""The StyleGAN2 generator: a mapping network, and a synthesis that sums one image a block (arXiv 1912.04958)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr.layers.style import Noise, StyledConv2d, ToImage
from ggdr.networks.base import Brief
from ggdr.networks.size import channels, ladder
from ggdr.networks.stylegan import styled
from ggdr.networks.stylegan2 import StyleGAN2Generator
from ggdr.ops.fir import upsample2
from ggdr.ops.layout import channels_last


class Generator(styled.Generator):
    """Latent codes to images, by way of style codes."""

    synthesis: Synthesis

    def __init__(self, config: StyleGAN2Generator, brief: Brief):
        super().__init__(config, brief, Synthesis(config, brief))

    def continued(self, maps: Tensor, side: int, w: Tensor) -> Tensor:
        """Images [N, C, H, W] of maps such as the block of that side hands on, in one style w [N, w_dim]."""
        return self.synthesis.continued(maps, side, w.unsqueeze(1).expand(-1, self.synthesis.num_ws, -1))

    def shares(self) -> list[str]:
        """The to-image layers'."""
        return [f"synthesis.b{side}.torgb.weight" for side in self.synthesis.sides]


class Synthesis(styled.Synthesis):
    """Style codes to images: a learned constant, doubled block by block."""

    def __init__(self, config: StyleGAN2Generator, brief: Brief):
        super().__init__()
        rungs = ladder(brief.height, brief.width, config.smallest)
        self.num_ws, self.sides = 2 * len(rungs.sides), rungs.sides
        self.feature_channels = {
            side: channels(config.channel_base, config.channel_max, level) for level, side in enumerate(rungs.sides)
        }
        inputs = None
        for level, (side, outputs) in enumerate(self.feature_channels.items()):
            self.add_module(f"b{side}", Block(config, inputs, outputs, rungs.size(level), brief.channels))
            inputs = outputs

    def forward(
        self, ws: Tensor, *, sides: tuple[int, ...] = (), noise: Noise = "random"
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """ws [N, L, w_dim] to images [N, C, H, W] about [-1, 1], and the feature maps of `sides`, all float32.

        ValueError if a side is not one of the network's.
        """
        self.check(sides)
        codes = ws.unbind(dim=1)
        features: dict[int, Tensor] = {}
        x: Tensor | None = None
        image: Tensor | None = None
        for side in self.sides:
            x, image = self.doubled(side, x, image, codes, noise)
            if side in sides:
                features[side] = x.float()
        assert image is not None
        return image, features

    def continued(self, x: Tensor, side: int, ws: Tensor, noise: Noise = "const") -> Tensor:
        """The maps x [N, K, r, r * W / H] of a side r and ws [N, L, w_dim] to images, by the blocks that follow.

        The image starts with this side's share. ValueError if the side is not one of the network's.
        """
        self.check((side,))
        codes, index = ws.unbind(dim=1), self.sides.index(side)
        image = self.get_submodule(f"b{side}.torgb")(x, codes[2 * index + 1])
        for later in self.sides[index + 1 :]:
            x, image = self.doubled(later, x, image, codes, noise)
        return image

    def doubled(
        self, side: int, x: Tensor | None, image: Tensor | None, codes: tuple[Tensor, ...], noise: Noise
    ) -> tuple[Tensor, Tensor]:
        """Maps and image of the block before, None at the first, to those of the block of this side."""
        index = self.sides.index(side)
        start = max(2 * index - 1, 0)  # a block's to-image layer shares the next block's first code
        return self.get_submodule(f"b{side}")(x, image, codes[start : 2 * index + 2], noise)

    def entries(self) -> list[Tensor]:
        """The affine layers' weights [K, w_dim] that each style code is multiplied by."""
        driven: list[list[Tensor]] = [[] for _ in range(self.num_ws)]
        for index, side in enumerate(self.sides):
            layers = [x for x in self.get_submodule(f"b{side}").children() if isinstance(x, StyledConv2d | ToImage)]
            for code, layer in enumerate(layers, start=2 * index + 2 - len(layers)):
                driven[code].append(layer.style_matrix())
        return [torch.cat(matrices) for matrices in driven]


class Block(nn.Module):
    """Double the maps, convolve, add this resolution's share to the doubled image."""

    def __init__(
        self, config: StyleGAN2Generator, inputs: int | None, outputs: int, size: tuple[int, int], image_channels: int
    ):
        """`inputs`: channels of the block before; None for the first, which starts from a learned constant."""
        super().__init__()
        w_dim, clamp = config.w_dim, config.clamp
        if inputs is None:
            self.const = nn.Parameter(torch.randn(outputs, *size))
        else:
            self.conv0 = StyledConv2d(inputs, outputs, w_dim, size, up=2, clamp=clamp)
        self.first = inputs is None
        self.conv1 = StyledConv2d(outputs, outputs, w_dim, size, clamp=clamp)
        self.torgb = ToImage(outputs, image_channels, w_dim, clamp=clamp)

    def forward(
        self, x: Tensor | None, image: Tensor | None, codes: tuple[Tensor, ...], noise: Noise
    ) -> tuple[Tensor, Tensor]:
        """Maps and image of the block before, and a style code [N, w_dim] for each layer, to this block's."""
        if self.first:
            x = channels_last(self.const.expand(codes[0].shape[0], -1, -1, -1))
        else:
            x = self.conv0(x, codes[0], noise)
        x = self.conv1(x, codes[-2], noise)
        share = self.torgb(x, codes[-1])
        return x, share if image is None else upsample2(image).add_(share)
