"""The MSG-GAN discriminator: downsampling blocks, each of which an image joins (arXiv 1903.06048, fig. 2)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ggdr.layers.epilogue import Epilogue
from ggdr.layers.equalized import EqualizedConv2d
from ggdr.layers.mapping import MappingNetwork
from ggdr.layers.minibatch import minibatch_stddev
from ggdr.layers.progressive import DownsampleBlock
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec, LogitFactors
from ggdr.networks.base.module import Discriminator
from ggdr.networks.msg_gan import MSGGANDiscriminatorConfig
from ggdr.networks.size import channels, pyramid_of
from ggdr.ops.layout import channels_last
from ggdr.ops.scales import downsample_average


class MSGGANDiscriminator(Discriminator):
    """Maps images of one or of all resolutions to logits; each block compares the batch, in evaluation as in
    training."""

    def __init__(self, config: MSGGANDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        levels = pyramid_of(spec.height, spec.width)
        width = [channels(config.channel_base, config.channel_max, level) for level in range(len(levels.resolutions))]
        self.resolutions = levels.resolutions
        self.map_channels = dict(zip(levels.resolutions[:-1], width, strict=False))
        for level in range(levels.doublings, 0, -1):
            last = level == levels.doublings
            # the largest image alone is what the first block sees, through its own layer
            join = MSGGANJoin(
                "lin_cat" if last else config.combine, 0 if last else width[level], spec.channels, width[level]
            )
            self.add_module(f"b{levels.resolutions[level]}", MSGGANBlock(config, join, width[level], width[level - 1]))
        self.join = MSGGANJoin(config.combine, width[0], spec.channels, width[0])
        self.mapping = MappingNetwork(0, spec.labels, width[0], depth=0) if spec.labels else None
        group = config.mbstd_group
        self.epilogue = Epilogue(width[0], levels.size(0), spec.labels, in_channels=self.join.outputs, group=group)

    def forward(
        self, image: Tensor | Mapping[int, Tensor], labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """Map image [N, C, H, W] in [-1, 1], or images by resolution, and labels [N, L] to logits [N].

        There is no decoder that could draw `resolutions`.
        """
        return self.output(*self.pyramid(image, labels), labels)

    def pyramid(
        self, image: Tensor | Mapping[int, Tensor], labels: Tensor | None = None
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N] float32, and each block's maps: resolution r -> [N, map_channels[r], r, r * W / H]."""
        x, maps = self.blocks(image)
        condition = None if self.mapping is None else self.mapping(None, labels)
        return self.epilogue(x, condition), maps

    def factors(
        self, image: Tensor | Mapping[int, Tensor], labels: Tensor | None = None
    ) -> tuple[LogitFactors, dict[int, Tensor]]:
        """Return what the last layer reads and its weights, which the labels' embedding weights; and the maps."""
        x, maps = self.blocks(image)
        condition = None if self.mapping is None else self.mapping(None, labels)
        return LogitFactors(self.epilogue.code(x), *self.epilogue.direction(condition)), maps

    def blocks(self, image: Tensor | Mapping[int, Tensor]) -> tuple[Tensor, dict[int, Tensor]]:
        """Return the last maps with the smallest image, and each block's maps."""
        scales, x, maps = image if isinstance(image, Mapping) else self.scales(image), None, {}
        for level in range(len(self.resolutions) - 1, 0, -1):
            resolution = self.resolutions[level]
            entering = channels_last(scales[resolution])
            maps[self.resolutions[level - 1]] = x = self.get_submodule(f"b{resolution}")(x, entering)
        return self.join(x, scales[self.resolutions[0]]), maps

    def scales(self, image: Tensor) -> dict[int, Tensor]:
        """Return the image [N, C, H, W] at each resolution, by averaging."""
        top = len(self.resolutions) - 1
        return {resolution: downsample_average(image, top - level) for level, resolution in enumerate(self.resolutions)}

    def stages(self) -> list[nn.Module]:
        """Return each block with the layer that takes its image in, and what follows the last."""
        blocks = [self.get_submodule(f"b{resolution}") for resolution in self.resolutions[:0:-1]]
        return [*blocks, nn.ModuleList([self.join, self.epilogue])]


class MSGGANJoin(nn.Module):
    """Combines an image with the maps of its resolution: the paper's combine functions (sec. 2.1)."""

    def __init__(self, how: str, in_channels: int, image_channels: int, width: int):
        """Build the layer; `in_channels`: of the maps, 0 where there are none. `width`: channels of the layer, if
        any."""
        super().__init__()
        self.how = how
        # How wide the paper's layers are we do not know; ours are as wide as the maps, and linear.
        entering = {"simple": 0, "lin_cat": image_channels, "cat_lin": in_channels + image_channels}[how]
        self.layer = EqualizedConv2d(entering, width, 1) if entering else None
        self.outputs = {"simple": in_channels + image_channels, "lin_cat": in_channels + width, "cat_lin": width}[how]

    def forward(self, x: Tensor | None, image: Tensor) -> Tensor:
        """Combine x [N, in_channels, H, W] (None: no maps) and image [N, C, H, W] to [N, out_channels, H, W]."""
        if self.how == "lin_cat":
            assert self.layer is not None
            image = self.layer(image)
        joined = image if x is None else torch.cat([x, image.to(x.dtype)], dim=1)
        return self.layer(joined) if self.layer is not None and self.how == "cat_lin" else joined


class MSGGANBlock(nn.Module):
    """Joins the image and the minibatch standard deviation to the maps, then two convolutions and half the
    resolution."""

    def __init__(self, config: MSGGANDiscriminatorConfig, join: MSGGANJoin, width: int, out_channels: int):
        super().__init__()
        self.join, self.group = join, config.mbstd_group
        self.halve = DownsampleBlock(join.outputs + 1, out_channels, width=width)

    def forward(self, x: Tensor | None, image: Tensor) -> Tensor:
        """Map x [N, C, H, W] (None: the first block) and the image of that resolution to maps of half of it."""
        return self.halve(minibatch_stddev(self.join(x, image), self.group))
