"""The network of AdaIN style transfer (Huang & Belongie 2017, arXiv 1703.06868, fig. 2)."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.layers.adain import AdaIN
from ggdr.layers.projection import with_label_planes
from ggdr.networks.adain import AdaINTranslatorConfig
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Translator
from ggdr.networks.stack import Layer, StackSpec
from ggdr.networks.stack.stack import Stack
from ggdr.ops.layout import channels_last

EPSILON = 1e-5
"""what is added to a variance before its root is taken"""


class AdaINTranslator(Translator):
    """Maps images to the same in the style of others: its code is the mean and the spread of an image's last maps."""

    def __init__(self, config: AdaINTranslatorConfig, spec: ImageSpec, source: ImageSpec):
        super().__init__(config, spec, source)
        channels = len(config.mean) or source.channels
        stack = StackSpec(config.encoder, config.mean or (0.0,) * channels, config.std or (1.0,) * channels)
        self.encoder, self.last = Stack(stack, edges="reflect"), stack.names()[-1]
        self.size_divisor = stack.reductions()[-1]
        self.check_images(channels)
        self.norm, self.decoder = AdaIN(), nn.ModuleList()
        self.feature_channels: dict[int, int] = {}
        width, side = stack.channels()[-1], source.height // self.size_divisor
        ins = [channels, *stack.channels()][:-1]
        planned = mirrored(stack.parsed(), ins)
        for place, (up, out) in enumerate(planned):
            self.feature_channels[side] = width
            side = 2 * side if up else side
            into = width + (spec.labels if place == 0 else 0)
            out = out if place + 1 < len(planned) else spec.channels
            self.decoder.append(DecoderLayer(into, out, up=up, last=place + 1 == len(planned)))
            width = out
        self.style_width = 2 * stack.channels()[-1]

    def check_images(self, channels: int) -> None:
        """UserError if the encoder cannot see the images, or they are too small for it, or of two sizes."""
        name, source, spec = self.config.name, self.source, self.spec
        if source[:2] != spec[:2]:
            raise UserError(
                f"generator {name!r} makes images as large as those that it takes, and they are {source.height} x"
                f" {source.width} and {spec.height} x {spec.width} px: give both one size, --data.size."
            )
        for seen in (source, spec):
            if seen.classes or seen.channels not in (channels, 1) and (seen.channels, channels) != (3, 1):
                raise UserError(
                    f"the encoder of generator {name!r} sees images of {channels} channel{'s' * (channels > 1)}, and"
                    f" the data has {seen.channels}{' of label maps' * bool(seen.classes)}: give RGB or gray, such as"
                    " --data.channels 3."
                )
        smaller = self.size_divisor
        if source.height % smaller or source.width % smaller or min(source[:2]) < 2 * smaller:
            raise UserError(
                f"the encoder of generator {name!r} makes maps {smaller} times smaller than images, of 2 px at least,"
                f" and these are {source.height} x {source.width} px: give sides that are multiples of {smaller}, from"
                f" {2 * smaller} on."
            )

    def forward(
        self,
        source: Tensor,
        labels: Tensor | None = None,
        *,
        z: Tensor | None = None,
        resolutions: tuple[int, ...] = (),
    ) -> GeneratorOutput:
        """Map source [N, C, H, W] in [-1, 1] and labels [N, L] to images, and the maps of `resolutions`.

        `z`: styles [N, style_width], as `encode_style` gives them; None: each image's own.
        """
        content = self.encode_content(source)
        return self.decode(content, code_of(content) if z is None else z, labels, resolutions=resolutions)

    def translate(self, source: Tensor, labels: Tensor | None = None, code: Tensor | None = None) -> Tensor:
        """Images [N, C, H, W] of source [N, Cs, Hs, Ws] and labels [N, L] in styles `code` [N, style_width].

        None: each image's own, which is nearly the image itself.
        """
        return self(source, labels, z=code).image

    def encoder_layers(self, images: Tensor, names: Collection[str]) -> dict[str, Tensor]:
        """The encoder's maps of these names of images [N, C, H, W] in [-1, 1]."""
        return self.encoder(channels_last((images + 1) / 2), names)

    def encode_content(self, source: Tensor) -> Tensor:
        """The encoder's last maps [N, K, h, w] of source [N, C, H, W], whatever their size."""
        return self.encoder_layers(source, [self.last])[self.last]

    def encode_style(self, images: Tensor) -> Tensor:
        """Styles [N, style_width] of images [N, C, H, W] of any size: means of the last maps, then their spreads."""
        return code_of(self.encode_content(images))

    def stylised(self, content: Tensor, z: Tensor) -> Tensor:
        """Maps [N, K, h, w] of content with the means and spreads of styles z [N, style_width] (eq. 8)."""
        shift, scale = z.chunk(2, dim=1)
        return self.norm(content, scale, shift)

    def decode(
        self, content: Tensor, z: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> GeneratorOutput:
        """Images of content [N, K, h, w] and styles z [N, style_width], and the maps of `resolutions`."""
        return self.decode_maps(self.stylised(content, z), labels, resolutions)

    def decode_maps(
        self, maps: Tensor, labels: Tensor | None = None, resolutions: tuple[int, ...] = ()
    ) -> GeneratorOutput:
        """Images of stylised maps [N, K, h, w], and the decoder's maps of `resolutions`, those before it among them."""
        self.check_resolutions(resolutions)
        x, found = maps, {}
        side = self.source.height // self.size_divisor
        for place, layer in enumerate(self.decoder):
            found[side] = x
            side = 2 * side if layer.up else side
            x = layer(with_label_planes(x, labels, self.spec.labels) if place == 0 else x)
        # Unlike the paper: tanh, since pixels here end at -1 and 1.
        features = {resolution: found[resolution].float() for resolution in resolutions}
        return GeneratorOutput(torch.tanh(x.float()), features=features)


class DecoderLayer(nn.Module):
    """A 3x3 convolution with reflected edges and ReLU, behind a doubling or none."""

    def __init__(self, in_channels: int, out_channels: int, *, up: bool, last: bool):
        super().__init__()
        self.up, self.last = up, last
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, padding_mode="reflect")

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, h, w] to [N, out_channels, H, W]; the last layer has no ReLU."""
        x = F.interpolate(x, scale_factor=2.0, mode="nearest") if self.up else x
        x = self.conv(x)
        return x if self.last else F.relu(x)


def mirrored(layers: list[Layer], ins: list[int]) -> list[tuple[bool, int]]:
    """Whether a layer of the decoder doubles, and the channels that it makes, first to last: the encoder in reverse.

    `ins`: channels that each layer of the encoder reads. A pooling becomes a doubling before the next convolution, and
    so does a stride before its own.
    """
    planned, doubles = [], False
    for layer, channels in zip(reversed(layers), reversed(ins), strict=True):
        doubles = doubles or layer.stride == 2
        if layer.kind == "conv":
            planned.append((doubles, channels))
            doubles = False
    return planned


def code_of(maps: Tensor) -> Tensor:
    """The mean of each channel of maps [N, K, h, w], then the standard deviation of each: [N, 2 K] float32."""
    var, mean = torch.var_mean(maps.float(), dim=(2, 3), correction=0)
    return torch.cat([mean, (var + EPSILON).sqrt()], dim=1)
