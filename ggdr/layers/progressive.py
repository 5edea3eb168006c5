"""The blocks of Progressive GAN, which other families build on: resample, then convolve twice (arXiv 1710.10196)."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr.layers.equalized import EqualizedConv2d, EqualizedLinear
from ggdr.layers.mapping import MappingNetwork, normalize_second_moment
from ggdr.ops.layout import channels_last
from ggdr.ops.scales import downsample_average, upsample_nearest


class FirstBlock(nn.Module):
    """Maps latent code and label to feature maps of the base resolution (Karras et al. 2018, table 2)."""

    def __init__(self, z_dim: int, labels: int, out_channels: int, size: tuple[int, int]):
        """Build the block; `size`: height and width of the base, pixels."""
        super().__init__()
        self.size, self.z_dim = size, z_dim
        # Unlike the paper, which has no labels: an embedding of unit mean square stands beside the code.
        self.code = MappingNetwork(z_dim, labels, z_dim, depth=0)
        # Unlike the paper, whose 4 x 4 convolution of one padded pixel this is: a bias for each place.
        self.project = EqualizedLinear(
            z_dim * (2 if labels else 1), out_channels * size[0] * size[1], activation="lrelu"
        )
        self.conv = EqualizedConv2d(out_channels, out_channels, 3, activation="lrelu")

    def forward(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Map z [N, z_dim] and labels [N, L] to [N, out_channels, h, w]."""
        x = self.project(self.code(z, labels)).unflatten(1, (-1, *self.size))
        x = normalize_second_moment(channels_last(x))
        return normalize_second_moment(self.conv(x))

    def matrix(self) -> Tensor:
        """Return the matrix [out_channels * h * w, z_dim] by which the latent code enters."""
        return self.project.matrix()[:, : self.z_dim]


class UpsampleBlock(nn.Module):
    """Nearest-neighbour upsampling, then two convolutions, each feature vector scaled to unit mean square (sec.
    4.2)."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv0 = EqualizedConv2d(in_channels, out_channels, 3, activation="lrelu")
        self.conv1 = EqualizedConv2d(out_channels, out_channels, 3, activation="lrelu")

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, h, w] to [N, out_channels, 2h, 2w]."""
        return normalize_second_moment(self.conv1(normalize_second_moment(self.conv0(upsample_nearest(x)))))


class GrowingBlocks(nn.Module):
    """All blocks of a growing generator: `b4`, `b8` ..., named after the resolution of their maps."""

    def __init__(self, z_dim: int, labels: int, widths: dict[int, int], size: tuple[int, int]):
        """Build a block for each of `widths`: resolution -> channels, each resolution twice the one before.

        `size`: height and width of the base, pixels.
        """
        super().__init__()
        first, *others = self.resolutions = list(widths)
        self.first = FirstBlock(z_dim, labels, widths[first], size)
        for resolution in others:
            self.add_module(f"b{resolution}", UpsampleBlock(widths[resolution // 2], widths[resolution]))

    def forward(self, z: Tensor, labels: Tensor | None, last: int) -> dict[int, Tensor]:
        """Map z [N, z_dim] and labels [N, L] to the maps of each resolution up to `last`; UserError if it is none of
        them."""
        if last not in self.resolutions:
            raise ValueError(
                f"no feature maps of resolution {last}; this generator has the resolutions {self.resolutions}."
            )
        x = self.first(z, labels)
        maps = {self.resolutions[0]: x}
        for resolution in self.resolutions[1 : self.resolutions.index(last) + 1]:
            maps[resolution] = x = self.get_submodule(f"b{resolution}")(x)
        return maps

    def select(self, maps: dict[int, Tensor], resolutions: tuple[int, ...]) -> dict[int, Tensor]:
        """Return the maps of `resolutions` in float32; UserError if one of them is not the network's."""
        if strange := sorted(set(resolutions) - set(self.resolutions)):
            raise ValueError(
                f"no feature maps of resolution {strange}; this generator has the resolutions {self.resolutions}."
            )
        return {resolution: maps[resolution].float() for resolution in resolutions}

    def matrix(self) -> Tensor:
        """Return the matrix [channels * h * w, z_dim] by which the latent code enters the first block."""
        return self.first.matrix()


class DownsampleBlock(nn.Module):
    """Two convolutions, then half the resolution by averaging, or by a low-pass filter and a strided convolution."""

    def __init__(self, in_channels: int, out_channels: int, *, width: int | None = None, blur: bool = False):
        """Build the block; `width`: channels between the convolutions; None: `in_channels`. `blur`: filter, as in
        StyleGAN."""
        super().__init__()
        self.blur, width = blur, width or in_channels
        self.conv0 = EqualizedConv2d(in_channels, width, 3, activation="lrelu")
        self.conv1 = EqualizedConv2d(width, out_channels, 3, activation="lrelu", down=2 if blur else 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to [N, out_channels, H / 2, W / 2]."""
        x = self.conv1(self.conv0(x))
        return x if self.blur else downsample_average(x)
