"""The StyleGAN generator: styles scale and shift each layer's normalized maps (arXiv 1812.04948, fig. 1b)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.equalized import EqualizedConv2d, EqualizedLinear
from ggdr.layers.growing import Growth
from ggdr.layers.style import Noise, NoiseLayer
from ggdr.networks.base import ImageSpec, style_based
from ggdr.networks.size import channels, pyramid_of
from ggdr.networks.stylegan import StyleGANGeneratorConfig
from ggdr.ops.activation import ACTIVATIONS, SLOPE
from ggdr.ops.layout import channels_last
from ggdr.ops.moments import centre


class StyleGANGenerator(style_based.StyleBasedGenerator):
    """Maps latent codes to images, by way of style codes."""

    synthesis: StyleGANSynthesis

    def __init__(self, config: StyleGANGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec, StyleGANSynthesis(config, spec))

    def grow(self, level: float) -> None:
        self.synthesis.growth.grow(level)


class StyleGANSynthesis(style_based.StyleBasedSynthesis):
    """Maps style codes to images: a learned constant, upsampled block by block, and an image layer at each
    resolution."""

    def __init__(self, config: StyleGANGeneratorConfig, spec: ImageSpec):
        super().__init__()
        levels = pyramid_of(spec.height, spec.width)
        self.num_ws, self.resolutions = 2 * len(levels.resolutions), levels.resolutions
        self.feature_channels = {
            resolution: channels(config.channel_base, config.channel_max, level)
            for level, resolution in enumerate(levels.resolutions)
        }
        in_channels = None
        for level, (resolution, out_channels) in enumerate(self.feature_channels.items()):
            self.add_module(
                f"b{resolution}", StyleGANBlock(in_channels, out_channels, config.w_dim, levels.size(level))
            )
            self.add_module(f"torgb{resolution}", EqualizedConv2d(out_channels, spec.channels, 1))
            in_channels = out_channels
        self.growth = Growth(levels.doublings)

    def forward(
        self, ws: Tensor, *, resolutions: tuple[int, ...] = (), noise: Noise = "random"
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Map ws [N, L, w_dim] to images [N, C, H, W] about [-1, 1] and maps of `resolutions`; unused blocks do not
        run."""
        self.check(resolutions)
        codes, x = ws.unbind(dim=1), None
        maps: dict[int, Tensor] = {}
        last = max(self.resolutions[self.growth.stage().level], *resolutions, 0)
        for index, resolution in enumerate(resolution for resolution in self.resolutions if resolution <= last):
            x = maps[resolution] = self.get_submodule(f"b{resolution}")(
                x, codes[2 * index], codes[2 * index + 1], noise
            )
        image = self.growth.image(lambda rung: self.image_of(self.resolutions[rung], maps))
        return image, {resolution: maps[resolution].float() for resolution in resolutions}

    def image_of(self, resolution: int, maps: dict[int, Tensor]) -> Tensor:
        """Return the image [N, C, h, w] float32 of the maps of a resolution."""
        return self.get_submodule(f"torgb{resolution}")(maps[resolution]).float()

    def input_matrices(self) -> list[Tensor]:
        layers = [layer for layer in self.modules() if isinstance(layer, StyledLayer)]
        return [layer.affine.matrix() for layer in layers]

    @property
    def in_use(self) -> int:
        return 2 * (self.growth.stage().level + 1)


class StyleGANBlock(nn.Module):
    """Upsamples, then twice convolves and applies a style."""

    def __init__(self, in_channels: int | None, out_channels: int, w_dim: int, size: tuple[int, int]):
        """Build the block; `in_channels`: of the block before; None for the first, which starts from a learned
        constant."""
        super().__init__()
        if in_channels is None:
            self.const = nn.Parameter(torch.ones(out_channels, *size))
        else:
            self.conv0 = EqualizedConv2d(in_channels, out_channels, 3, bias=False, up=2, gain=ACTIVATIONS["lrelu"].gain)
        self.first = in_channels is None
        self.style0 = StyledLayer(out_channels, w_dim, size)
        self.conv1 = EqualizedConv2d(out_channels, out_channels, 3, bias=False, gain=ACTIVATIONS["lrelu"].gain)
        self.style1 = StyledLayer(out_channels, w_dim, size)

    def forward(self, x: Tensor | None, w0: Tensor, w1: Tensor, noise: Noise) -> Tensor:
        """Map the maps of the block before, and two style codes [N, w_dim], to this block's maps [N, C, H, W]."""
        if self.first:
            x = channels_last(self.const.expand(len(w0), -1, -1, -1))
        else:
            x = self.conv0(x)
        x = self.style0(x, w0, noise)
        return self.style1(self.conv1(x), w1, noise)


class StyledLayer(NoiseLayer):
    """The layers after a convolution: noise, bias, leaky ReLU, adaptive instance normalization (eq. 1)."""

    def __init__(self, channels: int, w_dim: int, size: tuple[int, int]):
        """Build the layers; `size`: height and width of the maps, pixels."""
        super().__init__()
        self.affine = EqualizedLinear(w_dim, 2 * channels)
        nn.init.ones_(self.affine.bias[:channels].detach())  # of the scales (appendix C)
        self.bias = nn.Parameter(torch.zeros(channels))
        self.noise_strength = nn.Parameter(torch.zeros(channels))
        self.register_noise(size)

    def forward(self, x: Tensor, w: Tensor, noise: Noise) -> Tensor:
        """Scale and shift each channel of each sample of x [N, C, H, W] by style w [N, w_dim]."""
        field, each = self.noise(x, noise), (slice(None), None, None)
        if field is not None:
            x = torch.addcmul(x, field.to(x.dtype), self.noise_strength[each].to(x.dtype))
        x = F.leaky_relu(x + self.bias[each].to(x.dtype), SLOPE)
        scale, shift = self.affine(w)[..., None, None].chunk(2, dim=1)
        less, left, var = centre(x, (2, 3))
        gain = (var + 1e-8).rsqrt() * scale.float()
        return less * gain.to(x.dtype) + (shift.float() - left * gain).to(x.dtype)
