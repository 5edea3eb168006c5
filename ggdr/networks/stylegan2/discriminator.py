"""The StyleGAN2 discriminator: downsampling blocks, then one logit per sample (arXiv 1912.04958, fig. 7)."""

from __future__ import annotations

import math

from torch import Tensor, nn

from ggdr.layers.epilogue import Epilogue
from ggdr.layers.equalized import EqualizedConv2d
from ggdr.layers.mapping import MappingNetwork
from ggdr.layers.stages import Staged
from ggdr.networks.base import ExtraOutputs, ImageSpec, LogitFactors
from ggdr.networks.base.module import Discriminator
from ggdr.networks.size import channels, pyramid_of
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig
from ggdr.ops.fir import downsample2
from ggdr.ops.layout import channels_last


class StyleGAN2Discriminator(Staged, Discriminator):
    """Maps images to logits; minibatch standard deviation compares the batch, in evaluation as in training."""

    def __init__(self, config: StyleGAN2DiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        levels = pyramid_of(spec.height, spec.width, config.smallest)
        width = [channels(config.channel_base, config.channel_max, level) for level in range(len(levels.resolutions))]
        self.resolutions = levels.resolutions[:0:-1]
        self.map_channels = dict(zip(levels.resolutions[:-1], width[:-1], strict=True))
        for level in range(levels.doublings, 0, -1):
            first = level == levels.doublings
            block = StyleGAN2Block(config, spec.channels, width[level], width[level - 1], first)
            self.add_module(f"b{levels.resolutions[level]}", block)
        self.mapping = MappingNetwork(0, spec.labels, width[0], config.mapping_layers) if spec.labels else None
        self.last = f"b{levels.height}"
        # The published one clamps all convolutions but this, and checkpoints rely on it.
        fromrgb = FromImage(spec.channels, width[0], None) if config.architecture == "skip" else None
        group, variety, clamp, size = config.mbstd_group, config.mbstd_channels, config.clamp, levels.size(0)
        last = Epilogue(width[0], size, spec.labels, group=group, extra=variety, clamp=clamp, fromrgb=fromrgb)
        self.add_module(self.last, last)

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N] float32, and each block's maps: resolution r -> [N, map_channels[r], r, r * W / H]."""
        x, image, maps = self.blocks(image)
        condition = None if self.mapping is None else self.mapping(None, labels)
        return self.get_submodule(self.last)(x, condition, image), maps

    def blocks(self, image: Tensor) -> tuple[Tensor, Tensor, dict[int, Tensor]]:
        """Return the last maps, the image as it is beside them, and each block's maps."""
        image = channels_last(image)
        x, maps = None, {}
        for resolution in self.resolutions:
            x, image = self.run_stage(resolution, self.get_submodule(f"b{resolution}"), x, image)
            maps[resolution // 2] = x
        return maps[min(maps)], image, maps

    def factors(self, image: Tensor, labels: Tensor | None = None) -> tuple[LogitFactors, dict[int, Tensor]]:
        """Return what the last layer reads and its weights, which the labels' embedding weights; and the maps."""
        x, image, maps = self.blocks(image)
        condition = None if self.mapping is None else self.mapping(None, labels)
        last = self.get_submodule(self.last)
        assert isinstance(last, Epilogue)
        return LogitFactors(last.code(x, image), *last.direction(condition)), maps

    def stages(self) -> list[nn.Module]:
        """Return each block with its image layer, and what follows the last."""
        return [
            self.get_submodule(name) for name in (*(f"b{resolution}" for resolution in self.resolutions), self.last)
        ]


class StyleGAN2Block(nn.Module):
    """Two convolutions, the second of which halves the maps; "resnet" adds the input, "skip" an image."""

    def __init__(
        self,
        config: StyleGAN2DiscriminatorConfig,
        image_channels: int,
        in_channels: int,
        out_channels: int,
        first: bool,
    ):
        """Build the block; `first`: it reads the image at full resolution."""
        super().__init__()
        clamp, self.feeds = config.clamp, config.architecture == "skip"
        self.fromrgb = FromImage(image_channels, in_channels, clamp) if first or self.feeds else None
        gain = math.sqrt(0.5) if config.architecture == "resnet" else 1.0
        self.conv0 = EqualizedConv2d(in_channels, in_channels, 3, activation="lrelu", clamp=clamp)
        self.conv1 = EqualizedConv2d(in_channels, out_channels, 3, activation="lrelu", down=2, gain=gain, clamp=clamp)
        self.skip = EqualizedConv2d(in_channels, out_channels, 1, bias=False, down=2, gain=gain) if gain != 1 else None

    def forward(self, x: Tensor | None, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return maps of half the resolution and the next block's image, from maps (None at the first block) and
        image."""
        x = add_image(self.fromrgb, x, image)
        image = downsample2(image) if self.feeds else image
        y = self.conv1(self.conv0(x))
        return y if self.skip is None else self.skip(x).add_(y), image


class FromImage(EqualizedConv2d):
    """The layer that takes the image in."""

    def __init__(self, channels: int, out_channels: int, clamp: float | None):
        super().__init__(channels, out_channels, 1, activation="lrelu", clamp=clamp)


def add_image(fromrgb: FromImage | None, x: Tensor | None, image: Tensor) -> Tensor:
    """Add the image's maps to the maps so far (None at the first block), where there is an image layer."""
    if fromrgb is None:
        assert x is not None
        return x
    return fromrgb(image) if x is None else x + fromrgb(image)
