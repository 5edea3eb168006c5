"""The SNGAN discriminator: residual blocks that halve the maps, then their sum (arXiv 1802.05957, app. B)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.projection import projection_direction, projection_logit
from ggdr.layers.residual import DownBlock, make_norm
from ggdr.layers.spectral import apply_spectral_norm
from ggdr.networks.base import ExtraOutputs, ImageSpec, LogitFactors
from ggdr.networks.base.module import Discriminator
from ggdr.networks.size import doubling_channels, pyramid_of
from ggdr.networks.sngan import SNGANDiscriminatorConfig
from ggdr.networks.sngan.init import glorot
from ggdr.ops.layout import channels_last
from ggdr.ops.precision import at_least_float32, without_autocast


class SNGANDiscriminator(Discriminator):
    """Maps images to logits, each sample by itself."""

    config: SNGANDiscriminatorConfig

    def __init__(self, config: SNGANDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        levels = pyramid_of(spec.height, spec.width)
        widths = doubling_channels(config.channels, config.channel_max, levels.doublings)
        self.map_channels = dict(zip(levels.resolutions, widths, strict=False))
        self.last = self.assemble()
        self.norm = make_norm(config.norm, widths[0])
        self.out = nn.Linear(widths[0], 1)
        self.embed = nn.Linear(spec.labels, widths[0], bias=False) if spec.labels else None
        self.initialise()
        if config.norm == "spectral":
            apply_spectral_norm(self)

    def assemble(self) -> nn.Module:
        """Add the downsampling blocks, `b8` from resolution 8 to 4 ..., and return what follows at the base."""
        in_channels, norm = self.spec.channels, self.config.norm
        for resolution, out_channels in reversed(self.map_channels.items()):
            block = DownBlock(in_channels, out_channels, norm=norm, image=2 * resolution == self.spec.height)
            self.add_module(f"b{2 * resolution}", self.with_attention(resolution, block, out_channels))
            in_channels = out_channels
        return DownBlock(in_channels, in_channels, norm=norm, down=False)

    def with_attention(self, resolution: int, block: nn.Module, out_channels: int) -> nn.Module:
        """Return the block of a resolution; a subclass may append attention to its maps [N, out_channels, ...]."""
        return block

    def initialise(self) -> None:
        """Initialize the weights, before they are normalized."""
        glorot(self)

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N] float32, and maps by resolution r, [N, map_channels[r], r, r * W / H], the smallest
        last."""
        code, maps = self.code(image)
        with without_autocast(code):
            return self.out(code).flatten() + projection_logit(self.embed, code, labels), maps

    def code(self, image: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
        """Return the sums of the last maps [N, C] float32, and the maps."""
        x, maps = channels_last(image), {}
        for resolution in sorted(self.map_channels, reverse=True):
            maps[resolution] = x = self.get_submodule(f"b{2 * resolution}")(x)
        maps[min(maps)] = x = self.last(x)
        with without_autocast(x):
            return F.relu(self.norm(at_least_float32(x))).sum(dim=(2, 3)), maps

    def factors(self, image: Tensor, labels: Tensor | None = None) -> tuple[LogitFactors, dict[int, Tensor]]:
        """Return the sums of the last maps, and the linear layer's weights with the label's embedding."""
        code, maps = self.code(image)
        with without_autocast(code):
            direction = projection_direction(self.out.weight[0], self.embed, labels)
            return LogitFactors(code, direction, self.out.bias[0]), maps

    def stages(self) -> list[nn.Module]:
        """Return the downsampling blocks from the image inwards, the last block, and the linear layer."""
        blocks = [self.get_submodule(f"b{2 * resolution}") for resolution in sorted(self.map_channels, reverse=True)]
        return [*blocks, self.last, self.out]
