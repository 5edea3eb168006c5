"""The blocks of Progressive GAN, which other families build on: double or halve, convolve twice (arXiv 1710.10196)."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr.layers.equalized import EqualizedConv2d, EqualizedLinear
from ggdr.layers.mapping import MappingNetwork, normalized
from ggdr.ops.layout import channels_last
from ggdr.ops.scales import downsample_average, upsample_nearest


class FirstBlock(nn.Module):
    """The latent code, with the label's beside it, to the maps of the base (Karras et al. 2018, table 2)."""

    def __init__(self, z_dim: int, labels: int, outputs: int, size: tuple[int, int]):
        """`size`: height and width of the base, pixels."""
        super().__init__()
        self.size, self.z_dim = size, z_dim
        # Unlike the paper, which has no labels: an embedding of unit mean square stands beside the code.
        self.code = MappingNetwork(z_dim, labels, z_dim, depth=0)
        # Unlike the paper, whose 4 x 4 convolution of one padded pixel this is: a bias for each place.
        self.project = EqualizedLinear(z_dim * (2 if labels else 1), outputs * size[0] * size[1], activation="lrelu")
        self.conv = EqualizedConv2d(outputs, outputs, 3, activation="lrelu")

    def forward(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """z [N, z_dim] and labels [N, L] to [N, outputs, h, w]."""
        x = self.project(self.code(z, labels)).unflatten(1, (-1, *self.size))
        x = normalized(channels_last(x))
        return normalized(self.conv(x))

    def matrix(self) -> Tensor:
        """What a change of the latent code is multiplied by, [outputs * h * w, z_dim]."""
        return self.project.matrix()[:, : self.z_dim]


class UpsampleBlock(nn.Module):
    """Nearest-neighbour doubling, two convolutions, each feature vector brought to unit mean square (sec. 4.2)."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv0 = EqualizedConv2d(inputs, outputs, 3, activation="lrelu")
        self.conv1 = EqualizedConv2d(outputs, outputs, 3, activation="lrelu")

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, h, w] to [N, outputs, 2h, 2w]."""
        return normalized(self.conv1(normalized(self.conv0(upsample_nearest(x)))))


class GrowingBlocks(nn.Module):
    """All blocks of a generator: `b4`, `b8` ... to the maps of each side."""

    def __init__(self, z_dim: int, labels: int, widths: dict[int, int], size: tuple[int, int]):
        """`widths`: side (height in pixels) -> channels, each side twice the one before. `size`: of the base."""
        super().__init__()
        first, *others = self.resolutions = list(widths)
        self.first = FirstBlock(z_dim, labels, widths[first], size)
        for resolution in others:
            self.add_module(f"b{resolution}", UpsampleBlock(widths[resolution // 2], widths[resolution]))

    def forward(self, z: Tensor, labels: Tensor | None, last: int) -> dict[int, Tensor]:
        """z [N, z_dim] and labels [N, L] to the maps of each side up to `last`; ValueError if it is none of them."""
        if last not in self.resolutions:
            raise ValueError(f"no feature maps of side {last}; this generator has the sides {self.resolutions}.")
        x = self.first(z, labels)
        maps = {self.resolutions[0]: x}
        for resolution in self.resolutions[1 : self.resolutions.index(last) + 1]:
            maps[resolution] = x = self.get_submodule(f"b{resolution}")(x)
        return maps

    def asked(self, maps: dict[int, Tensor], resolutions: tuple[int, ...]) -> dict[int, Tensor]:
        """Those of `resolutions`, float32; ValueError if a side is not one of the network's."""
        if strange := sorted(set(resolutions) - set(self.resolutions)):
            raise ValueError(f"no feature maps of side {strange}; this generator has the sides {self.resolutions}.")
        return {resolution: maps[resolution].float() for resolution in resolutions}

    def matrix(self) -> Tensor:
        """What a change of the latent code is multiplied by, [channels * h * w, z_dim]."""
        return self.first.matrix()


class DownsampleBlock(nn.Module):
    """Two convolutions, then half the size by averaging, or by a low-pass filter ahead of the second one's stride."""

    def __init__(self, inputs: int, outputs: int, *, width: int | None = None, blur: bool = False):
        """`width`: channels between the convolutions; None: `inputs`. `blur`: the filter, as StyleGAN has it."""
        super().__init__()
        self.blur, width = blur, width or inputs
        self.conv0 = EqualizedConv2d(inputs, width, 3, activation="lrelu")
        self.conv1 = EqualizedConv2d(width, outputs, 3, activation="lrelu", down=2 if blur else 1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] to [N, outputs, H / 2, W / 2]."""
        x = self.conv1(self.conv0(x))
        return x if self.blur else downsample_average(x)
