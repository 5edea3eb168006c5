"""Stage II of StackGAN: an image of stage I and a label to a larger image (arXiv 1612.03242, sec. 3.4, fig. 2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.layers.norm import BatchNorm2d
from ggdr.layers.projection import require_labels, with_label_planes
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.stage_two import StageTwoGeneratorConfig
from ggdr.ops.layout import channels_last
from ggdr.ops.precision import at_least_float32, without_autocast
from ggdr.ops.scales import upsample_nearest

HALVINGS = 2
"""Times that stage I's image is halved."""
LEAST = 4
"""Fewest channels of a map."""


class StageTwoGenerator(Generator):
    """Makes images of noise and labels by a frozen generator, and larger ones of these and the labels."""

    def __init__(self, config: StageTwoGeneratorConfig, spec: ImageSpec):
        first = stage_one(config, spec)
        factor = spec.height // first.spec.height
        # What is saved says what stage I is, and no longer where it was.
        super().__init__(replace(config, stage_one="", generator=first.config, factor=factor), spec)
        self.first = first.eval().requires_grad_(False)  # no player takes what is frozen
        self.width = config.width if spec.labels else 0
        self.z_dim = self.first.z_dim + self.width
        self.distribution = nn.Linear(spec.labels, 2 * self.width) if self.width else None
        wide = config.channels << HALVINGS
        self.enter = nn.Conv2d(spec.channels, config.channels, 3, padding=1)
        self.down = nn.ModuleList(
            ConvBlock(config.channels << level, config.channels << (level + 1), 4, stride=2)
            for level in range(HALVINGS)
        )
        self.join = ConvBlock(wide + self.width, wide)
        self.blocks = nn.ModuleList(ResidualBlock(wide) for _ in range(config.blocks))
        height = first.spec.height >> HALVINGS
        self.feature_channels, self.up = {height: wide}, nn.ModuleList()
        while height < spec.height:
            narrow, height = max(LEAST, wide // 2), 2 * height
            self.up.append(ConvBlock(wide, narrow))
            self.feature_channels[height] = wide = narrow
        self.toimage = nn.Conv2d(wide, spec.channels, 3, padding=1)

    def forward(self, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()) -> GeneratorOutput:
        """Map z [N, z_dim] ~ N(0, 1) and labels [N, L] to images [N, C, H, W] and the maps of `resolutions`.

        The head "condition" [N, 2 * width] holds means and log variances of the codes. UserError if a resolution is not
        one of the network's, or a label is missing.
        """
        self.check_resolutions(resolutions)
        below, draw = z.split([self.first.z_dim, self.width], dim=1)
        small = self.first(below, labels).image  # its weights take no gradient; latent codes may, to be searched
        code, told = self.condition(draw, labels)
        x = F.relu(self.enter(channels_last(small)))
        for layer in self.down:
            x = layer(x)
        x = self.join(with_label_planes(x, code, self.width))
        for layer in self.blocks:
            x = layer(x)
        maps = [x]
        for layer in self.up:
            maps.append(layer(upsample_nearest(maps[-1])))
        named = zip(self.feature_channels, maps, strict=True)
        features = {resolution: x.float() for resolution, x in named if resolution in resolutions}
        return GeneratorOutput(torch.tanh(self.toimage(maps[-1]).float()), None, features, head_outputs=told)

    def condition(self, draw: Tensor, labels: Tensor | None) -> tuple[Tensor | None, dict[str, Tensor]]:
        """Draw codes [N, width] about labels, and say means and log variances; nothing without labels (eq. 2)."""
        if self.distribution is None:
            return None, {}
        with without_autocast(draw):
            # Unlike the paper: no ReLU follows, as in conditioning_augmentation.
            told = self.distribution(at_least_float32(require_labels(labels, self.spec.labels)))
            mean, log_variance = told.chunk(2, dim=1)
            return mean + (log_variance / 2).exp() * draw, {"condition": told}

    def train(self, mode: bool = True) -> Self:
        """Change between training and evaluation, but for stage I, which is done with learning."""
        super().train(mode)
        self.first.eval()
        return self


class ConvBlock(nn.Module):
    """A convolution, batch normalization, and a ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding=1, bias=False)
        self.norm = BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, h, w] to [N, out_channels, h / stride, w / stride]."""
        return F.relu(self.norm(channels_last(self.conv(x))))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch normalization, added to what they read; a ReLU follows."""

    def __init__(self, channels: int):
        super().__init__()
        self.inner = ConvBlock(channels, channels)
        self.conv, self.norm = nn.Conv2d(channels, channels, 3, padding=1, bias=False), BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, channels, h, w] to the same shape."""
        return F.relu(x + self.norm(channels_last(self.conv(self.inner(x)))))


def stage_one(config: StageTwoGeneratorConfig, spec: ImageSpec) -> Generator:
    """Stage I, of the run that the settings name, else as they describe it; UserError if it is none for the data."""
    if not config.stage_one:
        check_sides(spec.height, spec.width, config.factor)
        smaller = spec._replace(height=spec.height // config.factor, width=spec.width // config.factor)
        return config.generator.build(smaller)
    here = torch.empty(0).device  # the meta device, where networks are only tried
    with torch.device("cpu"):
        first = Generator.from_pretrained(config.stage_one)
    check_labels(config.stage_one, first.spec, spec)
    factor = spec.height // first.spec.height
    if (first.spec.height * factor, first.spec.width * factor) != spec[:2] or factor < 2 or factor & (factor - 1):
        own, wanted = first.spec, spec
        raise UserError(
            f"stage I of {config.stage_one!r} makes images of {own.height} x {own.width} px, and the data has"
            f" {wanted.height} x {wanted.width} px, which is not 2, 4 or 8 times as many a side: set --data.size"
            f" {2 * own.height}, or name another stage I."
        )
    if first.spec.channels != spec.channels:
        raise UserError(
            f"stage I of {config.stage_one!r} makes images of {first.spec.channels} channels, and the data has"
            f" {spec.channels}: take the same data for both stages."
        )
    check_sides(spec.height, spec.width, factor)
    return first.to(here)


def check_sides(height: int, width: int, factor: int) -> None:
    """UserError if stage I's image cannot be halved twice."""
    step = factor << HALVINGS
    if height % step or width % step:
        raise UserError(
            f"stage II halves the images of stage I twice, and {height} x {width} px are no multiples of {step}: set"
            f" --data.size {max(step, round(height / step) * step)}."
        )


def check_labels(run: str, own: ImageSpec, spec: ImageSpec) -> None:
    """UserError if stage I was told other texts or labels than the data has."""
    if (own.labels, own.label_names, own.text_encoder) == (spec.labels, spec.label_names, spec.text_encoder):
        return
    what = "words" if own.text_encoder and spec.text_encoder else "labels"
    if own.labels != spec.labels:
        difference = f"{own.labels:,} {what}, and the data has {spec.labels:,}"
    else:
        places = zip(own.label_names, spec.label_names, strict=False)
        differs = next(((a, b) for a, b in places if a != b), None)
        difference = f"other {what} than the data has" + (f": {differs[0]!r} for {differs[1]!r}" if differs else "")
    raise UserError(
        f"stage I of {run!r} was told {difference}; both stages take one text: train them on the same data, but for"
        " its size."
    )
