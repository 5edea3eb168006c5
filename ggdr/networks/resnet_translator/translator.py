"""CycleGAN's generator: halvings, residual blocks, doublings (arXiv 1703.10593, app. 7.2)."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.norm import ConditionalBatchNorm2d, ConditionalInstanceNorm2d
from ggdr.layers.projection import with_label_planes
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Translator
from ggdr.networks.dcgan.init import initialise
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.size import check_halvings, doublings_between
from ggdr.ops.blur_pool import blur_down, blur_up
from ggdr.ops.layout import channels_last

Norm = Literal["instance", "batch", "none"]
Way = Literal["same", "down", "up"]


class ResnetTranslator(Translator):
    """Maps images to images."""

    def __init__(self, config: ResnetTranslatorConfig, spec: ImageSpec, source: ImageSpec):
        super().__init__(config, spec, source)
        size, name = (source.height, source.width), config.name
        check_halvings(size, config.halvings, name)
        low = (size[0] >> config.halvings, size[1] >> config.halvings)
        doublings = doublings_between(low, (spec.height, spec.width), name)
        self.size_divisor = 1 << config.halvings
        norm, alias, code = config.norm, not config.antialias, config.z_dim
        self.z_dim = code
        width = config.channels
        encoded = [source.channels]
        # planes of a label are the same in all places: normalized image by image nothing would be left of them
        layers = [ConvLayer(source.channels + spec.labels, width, 7, first_norm(config, spec), code=code)]
        for level in range(config.widenings + config.halvings):
            way: Way = "same" if level < config.widenings else "down"
            layers.append(ConvLayer(width, 2 * width, 3, norm, way, strided=alias, code=code))
            width *= 2
            encoded.append(width)
        self.down = nn.Sequential(*layers)
        self.blocks = nn.Sequential(*(ResnetBlock(width, norm, code) for _ in range(config.blocks)))
        self.encoder_channels = (*encoded, *(width for _ in self.compared_blocks))
        self.feature_channels = {low[0]: width}
        self.up, self.narrow = nn.ModuleList(), nn.ModuleList()
        for level in range(doublings):
            narrow = max(width // 2, config.channels << config.widenings)
            self.up.append(ConvLayer(width, narrow, 3, norm, "up", strided=alias, code=code))
            width = self.feature_channels[low[0] << (level + 1)] = narrow
        for _ in range(config.widenings):
            self.narrow.append(ConvLayer(width, width // 2, 3, norm, code=code))
            width //= 2
        self.toimage = nn.Conv2d(width, spec.channels, 7, padding=3, padding_mode="reflect")
        initialise(self, config.init)

    @property
    def compared_blocks(self) -> list[int]:
        """Return the places of the residual blocks after which maps are compared: the first, and the middle one."""
        return sorted({0, len(self.blocks) // 2}) if len(self.blocks) else []

    def forward(
        self,
        source: Tensor,
        labels: Tensor | None = None,
        *,
        z: Tensor | None = None,
        resolutions: tuple[int, ...] = (),
    ) -> GeneratorOutput:
        """Map source [N, Cs, Hs, Ws] in [-1, 1], labels [N, L] and codes [N, z_dim] to images [N, C, H, W], and the
        maps of `resolutions`: those that follow the residual blocks, and each doubling. ValueError if it takes codes
        and is given none."""
        self.check_resolutions(resolutions)
        if self.z_dim and z is None:
            raise ValueError(f"this translator takes codes beside images: pass z [N, {self.z_dim}].")
        maps = self.maps_of(channels_last(with_label_planes(source, labels, self.spec.labels)), z)
        features = {r: x.float() for r, x in zip(self.feature_channels, maps, strict=True) if r in resolutions}
        x = maps[-1]
        for layer in self.narrow:
            x = layer(x, z)
        return GeneratorOutput(torch.tanh(self.toimage(x).float()), features=features)

    def maps_of(self, shown: Tensor, z: Tensor | None) -> list[Tensor]:
        """Return the maps that images [N, C, Hs, Ws], labels among C, become: those of `feature_channels`."""
        for layer in (*self.down, *self.blocks):
            shown = layer(shown, z)
        maps = [shown]
        for layer in self.up:
            maps.append(layer(maps[-1], z))
        return maps

    def encoder_maps(self, source: Tensor, labels: Tensor | None = None) -> list[Tensor]:
        """Return the image with the reflected edges that the first layer sees, what the convolution of each halving
        says, before it is normalized, and the maps after the first residual block and the middle one.

        With two halvings and nine blocks these are layers 0, 4, 8, 12 and 16 of CUT's generator (arXiv 2007.15651),
        where the convolutions of an antialiased halving say something of each pixel, before the blur. One that takes
        codes is given zeros.
        """
        first, *halvings = list[Any](self.down)
        maps = [F.pad(source, (3, 3, 3, 3), mode="reflect")]
        z = source.new_zeros(len(source), self.z_dim) if self.z_dim else None
        x = first(channels_last(with_label_planes(source, labels, self.spec.labels)), z)
        for layer in halvings:
            maps.append(layer.conv(x))
            x = layer.finish(maps[-1], z)
        for place, block in enumerate(self.blocks[: max(self.compared_blocks, default=-1) + 1]):
            x = block(x, z)
            maps += [x] if place in self.compared_blocks else []
        return maps


class ConvLayer(nn.Module):
    """A convolution, normalization and ReLU, which keeps the size, halves or doubles it."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, norm: Norm, way: Way = "same", strided=True, code=0
    ):
        """Build the layer; `strided`: the convolution itself halves or doubles; else a blur before or after it does.

        Edges are reflected in one that keeps the size, zero in others. `code`: width of the code that modulates
        normalization, 0: none.
        """
        super().__init__()
        self.way: Way = "same" if way != "same" and strided else way
        bias, padding = norm != "batch", kernel // 2  # the batch's norm would take a bias out again
        self.conv: nn.Conv2d | nn.ConvTranspose2d
        if way == "up" and strided:
            self.conv = nn.ConvTranspose2d(
                in_channels, out_channels, kernel, 2, kernel // 2, output_padding=1, bias=bias
            )
        else:
            edges: Literal["reflect", "zeros"] = "reflect" if way == "same" else "zeros"
            stride, padding = (2 if way == "down" and strided else 1), kernel // 2
            self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding, bias=bias, padding_mode=edges)
        self.norm = None if norm == "none" else make_norm(norm, out_channels, code)

    def forward(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        """Map [N, in_channels, h, w] and codes z [N, D] to [N, out_channels, H, W]."""
        return self.finish(self.conv(blur_up(x) if self.way == "up" else x), z)

    def finish(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        """Return what becomes of the convolution's maps x [N, out_channels, h, w] under codes z [N, D]."""
        x = channels_last(x)
        x = F.relu(x if self.norm is None else self.norm(x, z))
        return blur_down(x) if self.way == "down" else x


class ResnetBlock(nn.Module):
    """Two 3x3 convolutions with reflected edges, added to what they read."""

    def __init__(self, channels: int, norm: Norm, code: int = 0):
        super().__init__()
        self.layer = ConvLayer(channels, channels, 3, norm, code=code)
        bias = norm != "batch"
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=bias, padding_mode="reflect")
        self.norm = make_norm(norm, channels, code)

    def forward(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        """Map [N, channels, h, w] and codes z [N, D] to the same shape."""
        return x + self.norm(self.conv(self.layer(x, z)), z)


def make_norm(norm: Norm, channels: int, code: int = 0) -> nn.Module:
    """Return a layer that normalizes each image by itself, or the batch; `code`: width of one that modulates it."""
    return ConditionalBatchNorm2d(channels, code) if norm == "batch" else ConditionalInstanceNorm2d(channels, code)


def first_norm(config: ResnetTranslatorConfig, spec: ImageSpec) -> Norm:
    """Return what is normalized after the layer that reads the image and the planes of labels."""
    return "none" if spec.labels and config.norm == "instance" else config.norm
