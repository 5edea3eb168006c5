"""SPADE's generator: residual blocks between doublings, under a label map at each size (arXiv 1903.07291, app. A)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.layers.projection import with_label_planes
from ggdr.layers.spade import SPADEBlock
from ggdr.layers.spectral import apply_spectral_norm
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Translator
from ggdr.networks.size import check_same_size, even_halvings
from ggdr.networks.spade import SPADETranslatorConfig
from ggdr.ops.activation import SLOPE
from ggdr.ops.layout import channels_last
from ggdr.ops.precision import compute_dtype
from ggdr.ops.scales import interpolate, upsample_nearest

WIDEST = 16
"""Widest maps, times the settings' channels."""
SMALLEST = 2
"""Least side of the first maps, pixels."""


class SPADETranslator(Translator):
    """Maps label maps, and a code, to images."""

    config: SPADETranslatorConfig

    def __init__(self, config: SPADETranslatorConfig, spec: ImageSpec, source: ImageSpec):
        super().__init__(config, spec, source)
        size = (spec.height, spec.width)
        check_same_size((source.height, source.width), size, config.name)
        self.doublings = min(config.doublings, even_halvings(*size), (min(size) // SMALLEST).bit_length() - 1)
        if not self.doublings:
            raise UserError(
                f"{config.name!r} doubles its maps, and {size[0]} x {size[1]} px are odd: resize them,"
                f" --data.size {size[0] // 2 * 2 or 2} {size[1] // 2 * 2 or 2}."
            )
        self.z_dim = config.z_dim
        widths = [config.channels * min(1 << level, WIDEST) for level in reversed(range(self.doublings + 1))]
        self.first_width, conditions = widths[0], self.conditions
        self.first = self.first_layer()
        blocks = [
            SPADEBlock(widths[max(level - 1, 0)], width, conditions, config.hidden, config.norm)
            for level, width in enumerate(widths)
        ]
        self.blocks = nn.ModuleList(blocks)
        self.toimage = nn.Conv2d(widths[-1], spec.channels, 3, padding=1)
        self.feature_channels = {size[0] >> self.doublings << level: width for level, width in enumerate(widths)}
        initialise(self)
        if config.spectral:
            # Unlike the paper: which has all layers so. What was measured here has what reads the label map free.
            inside = {conv for block in blocks for conv in block.convolutions}
            free = [] if config.spectral_all else [each for each in self.modules() if each not in inside]
            apply_spectral_norm(self, exclude=free)

    @property
    def conditions(self) -> int:
        """Channels of what scales and shifts: the label map's, and labels'."""
        return self.source.channels + self.spec.labels

    def first_layer(self) -> nn.Module:
        """Return the layer that makes the first maps, and say of which sizes images can be."""
        if not self.z_dim:
            self.size_divisor = 1 << self.doublings
            return nn.Conv2d(self.conditions, self.first_width, 3, padding=1)
        low = self.spec.height >> self.doublings, self.spec.width >> self.doublings
        return nn.Linear(self.z_dim, self.first_width * low[0] * low[1])

    def first_maps(self, condition: Tensor, z: Tensor | None) -> Tensor:
        """Return the first maps [N, first_width, h, w] of a condition of that size [N, conditions, h, w], or of z."""
        if not self.z_dim:
            return self.first(condition)
        if z is None:
            raise ValueError(f"this translator takes codes beside images: pass z [N, {self.z_dim}].")
        return self.first(z).view(len(z), *condition.shape[2:], self.first_width).movedim(-1, 1)

    def condition(self, shown: Tensor, z: Tensor | None) -> Tensor:
        """Return what scales and shifts at each place: the label map [N, C, H, W], planes of labels among C."""
        return shown

    def forward(
        self,
        source: Tensor,
        labels: Tensor | None = None,
        *,
        z: Tensor | None = None,
        resolutions: tuple[int, ...] = (),
    ) -> GeneratorOutput:
        """Map source [N, Cs, H, W], one-hot where it is a label map, codes z [N, z_dim] and labels [N, L] to images
        [N, C, H, W], and the maps of `resolutions`, each after its residual block. ValueError if it takes codes and is
        given none."""
        self.check_resolutions(resolutions)
        shown = with_label_planes(source.to(compute_dtype(source)), labels, self.spec.labels)
        condition = self.condition(shown, z)
        height, width = (side >> self.doublings for side in condition.shape[2:])
        maps, x = list[Tensor](), torch.empty(0)
        for level, block in enumerate(self.blocks):
            seen = channels_last(interpolate(condition, (height << level, width << level), "nearest"))
            x = block(upsample_nearest(x) if level else channels_last(self.first_maps(seen, z)), seen)
            maps.append(x)
        features = {r: x.float() for r, x in zip(self.feature_channels, maps, strict=True) if r in resolutions}
        return GeneratorOutput(torch.tanh(self.toimage(F.leaky_relu(x, SLOPE)).float()), features=features)


def initialise(network: nn.Module) -> None:
    """Draw weights as Glorot & Bengio (2010) do, normally distributed; biases are 0."""
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.xavier_normal_(parameter)
        else:
            nn.init.zeros_(parameter)
