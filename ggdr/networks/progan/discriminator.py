"""The Progressive GAN discriminator: blocks that halve, an image layer at each size (arXiv 1710.10196, fig. 2)."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr import network
from ggdr.layers.epilogue import Epilogue
from ggdr.layers.equalized import EqualizedConv2d
from ggdr.layers.growing import Growth
from ggdr.layers.mapping import MappingNetwork
from ggdr.layers.progressive import HalvingBlock
from ggdr.networks.base import Brief
from ggdr.networks.progan import ProGANDiscriminator
from ggdr.networks.size import channels, ladder
from ggdr.ops.layout import channels_last
from ggdr.ops.scales import halved


class Discriminator(network.Discriminator):
    """Images to logits; minibatch standard deviation compares batch-mates, in evaluation as in training."""

    def __init__(self, config: ProGANDiscriminator, brief: Brief):
        super().__init__(config, brief)
        rungs = ladder(brief.height, brief.width)
        width = [channels(config.channel_base, config.channel_max, level) for level in range(len(rungs.sides))]
        self.sides = rungs.sides
        self.map_channels = dict(zip(rungs.sides[:-1], width, strict=False))
        for level in range(rungs.doublings, 0, -1):
            self.add_module(f"b{rungs.sides[level]}", Block(config, brief.channels, width[level], width[level - 1]))
        self.fromrgb = from_image(brief.channels, width[0])
        # one linear layer for the labels, beside the last maps
        self.mapping = MappingNetwork(0, brief.labels, width[0], depth=0) if brief.labels else None
        self.epilogue = Epilogue(width[0], rungs.size(0), brief.labels, group=config.mbstd_group)
        self.growth = Growth(rungs.doublings)

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Logits [N] float32, and maps: the side r that a block ends at -> [N, map_channels[r], r, r * W / H].

        Below the highest level the largest maps are what enters the first block in use, and those above are zeros.
        """
        rung, share = self.growth.stage()
        image = channels_last(halved(image, self.growth.top - rung))
        x = self.taken_in(image, rung)
        maps = {} if rung == self.growth.top else {self.sides[rung]: x}
        for level in range(rung, 0, -1):
            x = self.get_submodule(f"b{self.sides[level]}")(x)
            if level == rung and share < 1:
                x = self.taken_in(halved(image), level - 1).lerp(x, share)
            maps[self.sides[level - 1]] = x
        condition = None if self.mapping is None else self.mapping(None, labels)
        return self.epilogue(x, condition), self.unreached(x) | maps

    def taken_in(self, image: Tensor, rung: int) -> Tensor:
        """The maps [N, C, h, w] that an image of a rung's size enters as."""
        layer = f"b{self.sides[rung]}.fromrgb" if rung else "fromrgb"
        return self.get_submodule(layer)(image)

    def unreached(self, x: Tensor) -> dict[int, Tensor]:
        """Maps of zeros, for a decoder that draws on sides the level has not reached, beside the last maps x."""
        samples, _, height, width = x.shape
        above = self.sides[self.growth.stage().rung + 1 : -1]
        return {side: x.new_zeros(samples, self.map_channels[side], side, side * width // height) for side in above}

    def stages(self) -> list[nn.Module]:
        """Each block with its image layer, and what follows the last."""
        return [*(self.get_submodule(f"b{side}") for side in self.sides[:0:-1]), self.epilogue]

    def grow(self, level: float) -> None:
        self.growth.grow(level)


class Block(HalvingBlock):
    """Two convolutions and half the size, with the layer that takes in an image where this block is the first."""

    def __init__(self, config: ProGANDiscriminator, image_channels: int, inputs: int, outputs: int):
        super().__init__(inputs, outputs, blur=config.blur)
        self.fromrgb = from_image(image_channels, inputs)


def from_image(channels: int, outputs: int) -> EqualizedConv2d:
    """The layer that takes an image in."""
    return EqualizedConv2d(channels, outputs, 1, activation="lrelu")
