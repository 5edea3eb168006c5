"""SRGAN's discriminator: pairs of convolutions, the second of which halves, and dense layers (arXiv 1609.04802)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.layers.projection import projection_logit
from ggdr.layers.spectral import apply_spectral_norm
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.networks.size import even_halvings
from ggdr.networks.srgan import SRGANDiscriminatorConfig
from ggdr.ops.activation import SLOPE
from ggdr.ops.layout import channels_last
from ggdr.ops.precision import at_least_float32, without_autocast

WIDEST = 8
"""Widest maps, times the settings' channels."""


class SRGANDiscriminator(Discriminator):
    """Maps images of one size to logits."""

    def __init__(self, config: SRGANDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        smaller = min(spec.height, spec.width)
        # at least 2 px are left: of a single one, batch normalization of a single image would leave nothing
        count = min(config.halvings, even_halvings(spec.height, spec.width), smaller.bit_length() - 2)
        if count < 1:
            raise UserError(
                f"{config.name!r} halves its images, and {spec.height} x {spec.width} px cannot be halved to 2 px or"
                " more: resize them."
            )
        width = spec.channels
        self.pairs = nn.ModuleList()
        for level in range(count):
            in_channels, width = width, min(1 << level, WIDEST) * config.channels
            first = SRGANLayer(config, in_channels, width, stride=1, normed=level > 0)
            self.pairs.append(nn.Sequential(first, SRGANLayer(config, width, width, stride=2, normed=True)))
            self.map_channels = {spec.height >> (level + 1): width, **self.map_channels}
        self.hidden = nn.Linear(width * (spec.height >> count) * (spec.width >> count), config.hidden)
        self.out = nn.Linear(config.hidden, 1)
        self.embed = nn.Linear(spec.labels, config.hidden, bias=False) if spec.labels else None
        if config.spectral:
            apply_spectral_norm(self, exclude=[self.embed] if self.embed is not None else [])

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N] float32, and the halved maps: resolution r -> [N, map_channels[r], r, r * W / H]."""
        x, maps = channels_last(image), dict[int, Tensor]()
        for pair in self.pairs:
            x = pair(x)
            maps[x.shape[2]] = x
        code = F.leaky_relu(self.hidden(x.flatten(1)), SLOPE)
        with without_autocast(code):
            code = at_least_float32(code)
            return self.out(code).flatten() + projection_logit(self.embed, code, labels), maps

    def stages(self) -> list[nn.Module]:
        """Return each pair of convolutions, and both dense layers."""
        return [*self.pairs, self.hidden, self.out]


class SRGANLayer(nn.Module):
    """A 3x3 convolution, batch normalization and a leaky ReLU."""

    def __init__(
        self, config: SRGANDiscriminatorConfig, in_channels: int, out_channels: int, *, stride: int, normed: bool
    ):
        """Build the layer; `stride`: 2 halves the maps. `normed`: it is normalized, if the settings say so."""
        super().__init__()
        normed = normed and config.norm == "batch"
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=not normed)
        # Unlike the paper: no running statistics; a discriminator is not used alone, and they would differ by process.
        self.norm = nn.BatchNorm2d(out_channels, track_running_stats=False) if normed else None

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to [N, out_channels, H / stride, W / stride]."""
        x = channels_last(self.conv(x))
        return F.leaky_relu(x if self.norm is None else self.norm(x), SLOPE)
