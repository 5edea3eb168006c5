"""The DCGAN discriminator: strided convolutions, then one logit per sample (arXiv 1511.06434, sec. 3)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.projection import projection_direction, projection_logit
from ggdr.layers.spectral import apply_spectral_norm
from ggdr.networks.base import ExtraOutputs, ImageSpec, LogitFactors
from ggdr.networks.base.module import Discriminator
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.dcgan.init import initialise
from ggdr.networks.size import doubling_channels, pyramid_of
from ggdr.ops.activation import SLOPE
from ggdr.ops.layout import channels_last
from ggdr.ops.precision import at_least_float32, without_autocast


class DCGANDiscriminator(Discriminator):
    """Maps images to logits; batch normalization uses the batch, in evaluation as in training."""

    def __init__(self, config: DCGANDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        levels = pyramid_of(spec.height, spec.width)
        widths = doubling_channels(config.channels, config.channel_max, levels.doublings)
        self.map_channels = dict(zip(levels.resolutions, widths, strict=False))
        in_channels = spec.channels
        for resolution, out_channels in reversed(self.map_channels.items()):
            norm = config.norm == "batch" and 2 * resolution != spec.height  # the paper has none on the image
            self.add_module(f"b{2 * resolution}", DCGANDownBlock(in_channels, out_channels, norm))
            in_channels = out_channels
        self.out = nn.Conv2d(in_channels, 1, levels.size(0))
        self.embed = nn.Linear(spec.labels, in_channels, bias=False) if spec.labels else None
        initialise(self)
        if config.norm == "spectral":
            apply_spectral_norm(self)

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N] float32, and each block's maps: resolution r -> [N, map_channels[r], r, r * W / H]."""
        x, maps = self.last_maps(image)
        with without_autocast(x):
            return self.out(x).flatten() + projection_logit(self.embed, x.sum(dim=(2, 3)), labels), maps

    def last_maps(self, image: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
        """Return the last maps [N, C, h, w] float32, and those of each block."""
        x, maps = channels_last(image), {}
        for resolution in sorted(self.map_channels, reverse=True):
            maps[resolution] = x = self.get_submodule(f"b{2 * resolution}")(x)
        return at_least_float32(x), maps

    def factors(self, image: Tensor, labels: Tensor | None = None) -> tuple[LogitFactors, dict[int, Tensor]]:
        """Return the last maps, flattened, and the last convolution's weights with the label's embedding at each
        place."""
        x, maps = self.last_maps(image)
        with without_autocast(x):
            direction = projection_direction(self.out.weight[0], self.embed, labels)
            assert self.out.bias is not None
            return LogitFactors(x.flatten(1), direction, self.out.bias[0]), maps

    def stages(self) -> list[nn.Module]:
        """Return each block, and the last convolution."""
        blocks = [self.get_submodule(f"b{2 * resolution}") for resolution in sorted(self.map_channels, reverse=True)]
        return [*blocks, self.out]


class DCGANDownBlock(nn.Module):
    """A strided convolution, batch normalization if `norm`, and a leaky ReLU."""

    def __init__(self, in_channels: int, out_channels: int, norm: bool):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=not norm)
        # Unlike the paper: no running statistics; a discriminator is not used alone, and they would differ by process.
        self.norm = nn.BatchNorm2d(out_channels, track_running_stats=False) if norm else None

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to [N, out_channels, H / 2, W / 2]."""
        x = self.conv(x)
        return F.leaky_relu(x if self.norm is None else self.norm(x), SLOPE)
