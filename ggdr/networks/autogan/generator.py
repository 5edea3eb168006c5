"""The AutoGAN generator: a linear layer, then upsampling cells, each fed by all before (arXiv 1908.03835)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.norm import BatchNorm2d
from ggdr.layers.projection import require_labels
from ggdr.networks.autogan import AutoGANGeneratorConfig
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.size import pyramid_of
from ggdr.ops.layout import channels_last
from ggdr.ops.scales import interpolate


class CellChoice(NamedTuple):
    """The choices of the architecture search for one cell."""

    up: Literal["nearest", "bilinear"]
    """Interpolation by which the cell upsamples."""
    shortcut: bool
    """Whether the cell's input is added to its result."""


CELLS = (CellChoice("nearest", True), CellChoice("bilinear", True), CellChoice("nearest", False))
"""Choices for the cells, from the base on; further cells repeat the last."""


class AutoGANGenerator(Generator):
    """Maps latent codes, with labels beside them, to images."""

    def __init__(self, config: AutoGANGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec)
        levels = pyramid_of(spec.height, spec.width)
        self.z_dim, self.size, width = config.z_dim, levels.size(0), config.channels
        self.feature_channels = dict.fromkeys(levels.resolutions, width)
        self.project = nn.Linear(config.z_dim + spec.labels, width * self.size[0] * self.size[1])
        for index, resolution in enumerate(levels.resolutions[1:]):
            self.add_module(f"b{resolution}", AutoGANCell(width, CELLS[min(index, len(CELLS) - 1)], index))
        self.norm = BatchNorm2d(width)
        self.toimage = nn.Conv2d(width, spec.channels, 3, padding=1)
        self.apply(initialise)

    def forward(self, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W], and the maps of `resolutions`.

        UserError if a resolution is not one of the network's, or a label is missing.
        """
        self.check_resolutions(resolutions)
        x = self.project(self.concatenate_input(z, labels)).unflatten(1, (-1, *self.size))
        x = channels_last(x)
        passed: list[Tensor] = []
        first, *others = self.feature_channels
        maps = {first: x}
        for resolution in others:
            maps[resolution] = x = self.get_submodule(f"b{resolution}")(x, passed)
        image = torch.tanh(self.toimage(F.relu(self.norm(x))).float())
        return GeneratorOutput(image, None, {resolution: maps[resolution].float() for resolution in resolutions})

    def concatenate_input(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Concatenate code and label to [N, z_dim + L]."""
        if not self.spec.labels:
            return z
        return torch.cat([z, require_labels(labels, self.spec.labels).to(z.dtype)], dim=1)

    def input_matrices(self) -> list[Tensor]:
        """Return the first layer's weights [channels * h * w, z_dim]."""
        return [self.project.weight[:, : self.z_dim]]


class AutoGANCell(nn.Module):
    """Upsamples and convolves, adds what earlier cells passed on, convolves, adds the shortcut."""

    def __init__(self, width: int, choice: CellChoice, before: int):
        """Build the cell; `before`: number of cells before it."""
        super().__init__()
        self.up = choice.up
        self.conv0 = nn.Conv2d(width, width, 3, padding=1)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.skips = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(before))
        self.shortcut = nn.Conv2d(width, width, 1) if choice.shortcut else None

    def forward(self, x: Tensor, passed: list[Tensor]) -> Tensor:
        """Map x [N, C, h, w] and the maps of the cells before to [N, C, 2h, 2w]; appends this cell's maps to
        `passed`."""
        y = self.conv0(self.upsample(F.relu(x)))
        here = y
        for skip, earlier in zip(self.skips, passed, strict=True):
            y = y + skip(interpolate(F.relu(earlier), (y.shape[2], y.shape[3]), self.up))
        passed.append(here)
        y = self.conv1(F.relu(y))
        return y if self.shortcut is None else y + self.shortcut(self.upsample(x))

    def upsample(self, x: Tensor) -> Tensor:
        """Return x at twice the resolution."""
        return interpolate(x, (2 * x.shape[2], 2 * x.shape[3]), self.up)


def initialise(module: nn.Module) -> None:
    """Initialize weights uniformly with variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010); ours, the paper is
    silent."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        assert module.bias is not None
        nn.init.zeros_(module.bias)
