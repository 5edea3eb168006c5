"""The Progressive GAN discriminator: downsampling blocks, an image layer at each resolution (arXiv 1710.10196, fig.
2)."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr.layers.epilogue import Epilogue
from ggdr.layers.equalized import EqualizedConv2d
from ggdr.layers.growing import Growth
from ggdr.layers.mapping import MappingNetwork
from ggdr.layers.progressive import DownsampleBlock
from ggdr.networks.base import ExtraOutputs, ImageSpec, LogitFactors
from ggdr.networks.base.module import Discriminator
from ggdr.networks.progan import ProGANDiscriminatorConfig
from ggdr.networks.size import channels, pyramid_of
from ggdr.ops.layout import channels_last
from ggdr.ops.scales import downsample_average


class ProGANDiscriminator(Discriminator):
    """Maps images to logits; minibatch standard deviation compares the batch, in evaluation as in training."""

    def __init__(self, config: ProGANDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        levels = pyramid_of(spec.height, spec.width)
        width = [channels(config.channel_base, config.channel_max, level) for level in range(len(levels.resolutions))]
        self.resolutions = levels.resolutions
        self.map_channels = dict(zip(levels.resolutions[:-1], width, strict=False))
        for level in range(levels.doublings, 0, -1):
            self.add_module(
                f"b{levels.resolutions[level]}", ProGANBlock(config, spec.channels, width[level], width[level - 1])
            )
        self.fromrgb = from_image(spec.channels, width[0])
        # one linear layer for the labels, beside the last maps
        self.mapping = MappingNetwork(0, spec.labels, width[0], depth=0) if spec.labels else None
        self.epilogue = Epilogue(width[0], levels.size(0), spec.labels, group=config.mbstd_group)
        self.growth = Growth(levels.doublings)

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N] float32, and each block's maps: resolution r -> [N, map_channels[r], r, r * W / H].

        Below the highest level the largest maps are the input of the first block in use, and those above are zeros.
        """
        x, maps = self.blocks(image)
        condition = None if self.mapping is None else self.mapping(None, labels)
        return self.epilogue(x, condition), maps

    def factors(self, image: Tensor, labels: Tensor | None = None) -> tuple[LogitFactors, dict[int, Tensor]]:
        """Return what the last layer reads and its weights, which the labels' embedding weights; and the maps."""
        x, maps = self.blocks(image)
        condition = None if self.mapping is None else self.mapping(None, labels)
        return LogitFactors(self.epilogue.code(x), *self.epilogue.direction(condition)), maps

    def blocks(self, image: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
        """Return the last maps, and each block's."""
        rung, share = self.growth.stage()
        image = channels_last(downsample_average(image, self.growth.top - rung))
        x = self.from_image(image, rung)
        maps = {} if rung == self.growth.top else {self.resolutions[rung]: x}
        for level in range(rung, 0, -1):
            x = self.get_submodule(f"b{self.resolutions[level]}")(x)
            if level == rung and share < 1:
                x = self.from_image(downsample_average(image), level - 1).lerp(x, share)
            maps[self.resolutions[level - 1]] = x
        return x, self.zero_maps(x) | maps

    def from_image(self, image: Tensor, rung: int) -> Tensor:
        """Return the maps [N, C, h, w] by which an image of a level's resolution enters."""
        layer = f"b{self.resolutions[rung]}.fromrgb" if rung else "fromrgb"
        return self.get_submodule(layer)(image)

    def zero_maps(self, x: Tensor) -> dict[int, Tensor]:
        """Return maps of zeros for resolutions that the level has not reached, which a decoder may read, given the
        last maps x."""
        samples, _, height, width = x.shape
        above = self.resolutions[self.growth.stage().level + 1 : -1]
        return {
            resolution: x.new_zeros(samples, self.map_channels[resolution], resolution, resolution * width // height)
            for resolution in above
        }

    def stages(self) -> list[nn.Module]:
        """Return each block with its image layer, and what follows the last."""
        return [*(self.get_submodule(f"b{resolution}") for resolution in self.resolutions[:0:-1]), self.epilogue]

    def grow(self, level: float) -> None:
        self.growth.grow(level)


class ProGANBlock(DownsampleBlock):
    """Two convolutions and half the resolution, with the layer that takes in an image where this block is the first."""

    def __init__(self, config: ProGANDiscriminatorConfig, image_channels: int, in_channels: int, out_channels: int):
        super().__init__(in_channels, out_channels, blur=config.blur)
        self.fromrgb = from_image(image_channels, in_channels)


def from_image(channels: int, out_channels: int) -> EqualizedConv2d:
    """Return the layer that takes an image in."""
    return EqualizedConv2d(channels, out_channels, 1, activation="lrelu")
