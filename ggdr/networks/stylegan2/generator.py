"""The StyleGAN2 generator: a mapping network, and a synthesis that sums one image per block (arXiv 1912.04958)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ggdr.layers.stages import Staged
from ggdr.layers.style import Noise, StyledConv2d, ToImage
from ggdr.networks.base import ImageSpec, style_based
from ggdr.networks.size import channels, pyramid_of
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.ops.fir import upsample2
from ggdr.ops.layout import channels_last


class StyleGAN2Generator(style_based.StyleBasedGenerator):
    """Maps latent codes to images, by way of style codes."""

    synthesis: StyleGAN2Synthesis

    def __init__(self, config: StyleGAN2GeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec, StyleGAN2Synthesis(config, spec))

    def forward_from(self, maps: Tensor, resolution: int, w: Tensor) -> Tensor:
        """Return images [N, C, H, W] of maps that stand in for those of this resolution's block, in one style w [N,
        w_dim]."""
        return self.synthesis.forward_from(maps, resolution, w.unsqueeze(1).expand(-1, self.synthesis.num_ws, -1))

    def rgb_weights(self) -> list[str]:
        """Return the names of the to-image layers' weights."""
        return [f"synthesis.b{resolution}.torgb.weight" for resolution in self.synthesis.resolutions]


class StyleGAN2Synthesis(Staged, style_based.StyleBasedSynthesis):
    """Maps style codes to images: a learned constant, upsampled block by block."""

    def __init__(self, config: StyleGAN2GeneratorConfig, spec: ImageSpec):
        super().__init__()
        levels = pyramid_of(spec.height, spec.width, config.smallest)
        self.num_ws, self.resolutions = 2 * len(levels.resolutions), levels.resolutions
        self.feature_channels = {
            resolution: channels(config.channel_base, config.channel_max, level)
            for level, resolution in enumerate(levels.resolutions)
        }
        in_channels = None
        for level, (resolution, out_channels) in enumerate(self.feature_channels.items()):
            self.add_module(
                f"b{resolution}", StyleGAN2Block(config, in_channels, out_channels, levels.size(level), spec.channels)
            )
            in_channels = out_channels

    def forward(
        self, ws: Tensor, *, resolutions: tuple[int, ...] = (), noise: Noise = "random"
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Map ws [N, L, w_dim] to images [N, C, H, W] about [-1, 1], and the maps of `resolutions`, all float32.

        UserError if a resolution is not one of the network's.
        """
        self.check(resolutions)
        codes = ws.unbind(dim=1)
        features: dict[int, Tensor] = {}
        x: Tensor | None = None
        image: Tensor | None = None
        for resolution in self.resolutions:
            x, image = self.run_block(resolution, x, image, codes, noise)
            if resolution in resolutions:
                features[resolution] = x.float()
        assert image is not None
        return image, features

    def forward_from(self, x: Tensor, resolution: int, ws: Tensor, noise: Noise = "const") -> Tensor:
        """Map x [N, K, r, r * W / H] of a resolution r and ws [N, L, w_dim] to images, by the blocks that follow.

        The image starts with this resolution's contribution. UserError if the resolution is not one of the network's.
        """
        self.check((resolution,))
        codes, index = ws.unbind(dim=1), self.resolutions.index(resolution)
        image = self.run_stage(resolution, self.get_submodule(f"b{resolution}.torgb"), x, codes[2 * index + 1])
        for later in self.resolutions[index + 1 :]:
            x, image = self.run_block(later, x, image, codes, noise)
        return image

    def run_block(
        self, resolution: int, x: Tensor | None, image: Tensor | None, codes: tuple[Tensor, ...], noise: Noise
    ) -> tuple[Tensor, Tensor]:
        """Run the block of this resolution on the maps and the image of the block before, None at the first."""
        index = self.resolutions.index(resolution)
        start = max(2 * index - 1, 0)  # a block's to-image layer shares the next block's first code
        block = self.get_submodule(f"b{resolution}")
        return self.run_stage(resolution, block, x, image, codes[start : 2 * index + 2], noise)

    def input_matrices(self) -> list[Tensor]:
        """Return the affine layers' weights [K, w_dim] that each style code is multiplied by."""
        driven: list[list[Tensor]] = [[] for _ in range(self.num_ws)]
        for index, resolution in enumerate(self.resolutions):
            layers = [
                x for x in self.get_submodule(f"b{resolution}").children() if isinstance(x, StyledConv2d | ToImage)
            ]
            for code, layer in enumerate(layers, start=2 * index + 2 - len(layers)):
                driven[code].append(layer.style_matrix())
        return [torch.cat(matrices) for matrices in driven]


class StyleGAN2Block(nn.Module):
    """Upsamples and convolves the maps, and adds this resolution's contribution to the upsampled image."""

    def __init__(
        self,
        config: StyleGAN2GeneratorConfig,
        in_channels: int | None,
        out_channels: int,
        size: tuple[int, int],
        image_channels: int,
    ):
        """Build the block; `in_channels`: of the block before; None for the first, which starts from a learned
        constant."""
        super().__init__()
        w_dim, clamp = config.w_dim, config.clamp
        if in_channels is None:
            self.const = nn.Parameter(torch.randn(out_channels, *size))
        else:
            self.conv0 = StyledConv2d(in_channels, out_channels, w_dim, size, up=2, clamp=clamp)
        self.first = in_channels is None
        self.conv1 = StyledConv2d(out_channels, out_channels, w_dim, size, clamp=clamp)
        self.torgb = ToImage(out_channels, image_channels, w_dim, clamp=clamp)

    def forward(
        self, x: Tensor | None, image: Tensor | None, codes: tuple[Tensor, ...], noise: Noise
    ) -> tuple[Tensor, Tensor]:
        """Return this block's maps and image, from those of the block before and a style code [N, w_dim] per layer."""
        if self.first:
            x = channels_last(self.const.expand(codes[0].shape[0], -1, -1, -1))
        else:
            x = self.conv0(x, codes[0], noise)
        x = self.conv1(x, codes[-2], noise)
        share = self.torgb(x, codes[-1])
        return x, share if image is None else upsample2(image).add_(share)
