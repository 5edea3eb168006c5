"""MUNIT's networks: a content encoder, a style encoder and a decoder (Huang et al. 2018, arXiv 1804.04732, app. B)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.adain import AdaINBlock, StyleMLP
from ggdr.layers.norm import InstanceNorm2d, LayerNorm, normalize_each
from ggdr.layers.projection import require_labels
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Translator
from ggdr.networks.munit import MUNITTranslatorConfig
from ggdr.networks.size import check_halvings, doublings_between
from ggdr.ops.layout import channels_last
from ggdr.ops.precision import at_least_float32_dtype, without_autocast
from ggdr.ops.scales import upsample_nearest

STYLE_WIDEST = 4
"""Widest maps of the style encoder, times the settings' channels."""


class MUNITTranslator(Translator):
    """Maps images to images under a style code."""

    def __init__(self, config: MUNITTranslatorConfig, spec: ImageSpec, source: ImageSpec):
        super().__init__(config, spec, source)
        size, name, width = (source.height, source.width), config.name, config.channels
        check_halvings(size, config.halvings, name)
        low = (size[0] >> config.halvings, size[1] >> config.halvings)
        doublings = doublings_between(low, (spec.height, spec.width), name)
        self.size_divisor, self.z_dim = 1 << config.halvings, config.z_dim
        self.style_encoder = MUNITStyleEncoder(config, spec)
        content: list[nn.Module] = [MUNITLayer(source.channels, width, 7, norm="instance")]
        for _ in range(config.halvings):
            content.append(MUNITLayer(width, 2 * width, 4, stride=2, norm="instance"))
            width *= 2
        self.content_encoder = nn.Sequential(*content, *(MUNITBlock(width) for _ in range(config.blocks)))
        self.mlp = StyleMLP(config.z_dim + spec.labels, config.mlp_channels, config.blocks, width)
        self.blocks = nn.ModuleList(AdaINBlock(width) for _ in range(config.blocks))
        self.feature_channels = {low[0]: width}
        self.up = nn.ModuleList()
        for level in range(doublings):
            narrow = max(width // 2, config.channels)
            self.up.append(MUNITLayer(width, narrow, 5, norm="layer"))
            width = self.feature_channels[low[0] << (level + 1)] = narrow
        self.toimage = nn.Conv2d(width, spec.channels, 7, padding=3, padding_mode="reflect")
        initialise(self)
        self.mlp.begin_neutral()

    def forward(
        self,
        source: Tensor,
        labels: Tensor | None = None,
        *,
        z: Tensor | None = None,
        resolutions: tuple[int, ...] = (),
    ) -> GeneratorOutput:
        """Map source [N, Cs, Hs, Ws] in [-1, 1], style z [N, z_dim] and labels [N, L] to images [N, C, H, W].

        z None: the style is the source's, which has to be of the domain that is made: else ValueError. The maps of
        `resolutions` are those that follow the residual blocks, and each doubling.
        """
        if z is None:
            if self.source.channels != self.spec.channels:
                raise ValueError(f"the source is of another domain and shows no style: pass z [N, {self.z_dim}].")
            z = self.encode_style(source)
        return self.decode(self.encode_content(source), z, labels, resolutions=resolutions)

    def encode_content(self, source: Tensor) -> Tensor:
        """Map source [N, Cs, Hs, Ws] to where things are in it [N, K, h, w]."""
        return self.content_encoder(channels_last(source))

    def encode_style(self, images: Tensor) -> Tensor:
        """Map images [N, C, H, W] of the domain that is made to their style codes [N, z_dim], float32."""
        return self.style_encoder(channels_last(images)).float()

    def decode(
        self, content: Tensor, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> GeneratorOutput:
        """Map content [N, K, h, w], style z [N, z_dim] and labels [N, L] to images, and the maps of `resolutions`."""
        self.check_resolutions(resolutions)
        if self.spec.labels:
            z = torch.cat([z, require_labels(labels, self.spec.labels).to(z.dtype)], dim=1)
        x = channels_last(content)
        for block, modulation in zip(self.blocks, self.mlp(z).unbind(1), strict=True):
            x = block(x, modulation)
        maps = [x]
        for layer in self.up:
            maps.append(layer(upsample_nearest(maps[-1])))
        features = {r: x.float() for r, x in zip(self.feature_channels, maps, strict=True) if r in resolutions}
        return GeneratorOutput(torch.tanh(self.toimage(maps[-1]).float()), features=features)


class MUNITStyleEncoder(nn.Module):
    """Strided convolutions without normalization, which would take the style out, their mean, and a linear layer."""

    def __init__(self, config: MUNITTranslatorConfig, spec: ImageSpec):
        super().__init__()
        width, smallest = config.channels, min(spec.height, spec.width)
        layers = [MUNITLayer(spec.channels, width, 7)]
        for _ in range(min(config.style_halvings, smallest.bit_length() - 1)):
            narrow, width = width, min(2 * width, STYLE_WIDEST * config.channels)
            layers.append(MUNITLayer(narrow, width, 4, stride=2))
        self.layers = nn.Sequential(*layers)
        self.out = nn.Linear(width, config.z_dim)

    def forward(self, images: Tensor) -> Tensor:
        """Map images [N, C, H, W] of any size that can be halved so often to codes [N, z_dim]."""
        x = self.layers(images)
        with without_autocast(x):  # a sum, since the gradient of a mean comes in the other order in memory
            mean = x.sum(dim=(2, 3), dtype=at_least_float32_dtype(x)) / (x.shape[2] * x.shape[3])
        return self.out(mean)


class MUNITLayer(nn.Module):
    """A convolution with reflected edges, normalization if there is any, and ReLU."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        norm: Literal["instance", "layer", "none"] = "none",
    ):
        super().__init__()
        self.conv = reflected_conv(in_channels, out_channels, kernel, stride, bias=norm != "instance")
        self.norm: nn.Module | None = None
        if norm != "none":
            self.norm = InstanceNorm2d() if norm == "instance" else LayerNorm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to [N, out_channels, H / stride, W / stride]."""
        x = channels_last(self.conv(x))
        return F.relu(x if self.norm is None else self.norm(x))


class MUNITBlock(nn.Module):
    """Two 3x3 convolutions with instance normalization, added to what they read."""

    def __init__(self, channels: int):
        super().__init__()
        self.layer = MUNITLayer(channels, channels, 3, norm="instance")
        self.conv = reflected_conv(channels, channels, 3, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, channels, h, w] to the same shape."""
        return x + normalize_each(self.conv(self.layer(x)))


def reflected_conv(in_channels: int, out_channels: int, kernel: int, stride: int, *, bias: bool) -> nn.Conv2d:
    """Return a convolution with reflected edges; `bias`: False where normalization would take it out again."""
    padding = (kernel - 1) // 2
    return nn.Conv2d(in_channels, out_channels, kernel, stride, padding, bias=bias, padding_mode="reflect")


def initialise(network: nn.Module) -> None:
    """Draw the weights of convolutions and linear layers as He et al. (2015) do for ReLU; biases are 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
