"""The layers of StyleGAN3's synthesis: Fourier features, filtered layers, to-image (arXiv 2106.12423, fig. 4b)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.equalized import EqualizedLinear
from ggdr.layers.statistics import RunningMean
from ggdr.networks.stylegan3.plan import LayerPlan
from ggdr.ops.layout import channels_last
from ggdr.ops.lowpass import Band, Resampling, filtered_lrelu, jinc_kernel, sinc_taps
from ggdr.ops.modulation import modulated_conv2d
from ggdr.ops.precision import at_least_float32_dtype, without_autocast

HEADROOM = 2
"""Sampling rate at which the leaky ReLU acts, relative to the higher one of its maps."""


class FilterSettings(NamedTuple):
    """Settings that all filtered layers share."""

    taps: int
    """Number of a filter's taps, for each step of up- or downsampling."""
    rotation: bool
    """Whether filters are radially symmetric, for rotation equivariance."""
    clamp: float | None
    """Largest magnitude of a layer's result; None: no limit."""


class FourierFeatures(nn.Module):
    """The input of the synthesis: sinusoids of random frequencies, rotated and translated by the style, and mixed."""

    frequencies: Tensor
    phases: Tensor
    reads: Tensor

    def __init__(self, channels: int, w_dim: int, band: Band, size: tuple[int, int]):
        """Draw the frequencies; `size`: height and width of the maps, pixels, margins included."""
        super().__init__()
        self.band, self.size = band, size
        self.affine = EqualizedLinear(w_dim, 4)
        with torch.no_grad():
            self.affine.weight.zero_()
            self.affine.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))
        self.weight = nn.Parameter(torch.randn(channels, channels))
        angle, radius = 2 * math.pi * torch.rand(channels), band.cutoff * torch.rand(channels).sqrt()
        self.register_buffer("frequencies", torch.stack([angle.cos(), angle.sin()], dim=1) * radius[:, None])
        self.register_buffer("phases", torch.rand(channels))
        self.register_buffer("reads", torch.eye(2, 3))

    def forward(self, w: Tensor) -> Tensor:
        """Map w [N, w_dim] to [N, C, H, W] float32.

        A point p = (x, y) of the image, in heights from its centre, is evaluated at R (A p + b - t): `reads` [2, 3] is
        A and b, by which a person moves the image; the style determines the rotation R and the translation t. Where A
        makes waves too short for the maps, they fade out, to nothing at half of the sampling rate.
        """
        with without_autocast(w):
            cos, sin, *move = self.transform_of(w).unbind(dim=1)
            turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)  # [N, 2, 2]
            slope = self.frequencies @ turn  # [N, C, 2], per height along the columns and rows of A p + b - t
            offset = self.reads[:, 2] - torch.stack(move, 1)  # [N, 2]
            phase = self.phases + (slope @ offset[:, :, None])[:, :, 0]  # [N, C]
            slope = slope @ self.reads[:, :2]
            rows, columns = ((torch.arange(n, device=w.device) - (n - 1) / 2) / self.band.rate for n in self.size)
            along = slope[:, :, 1, None, None] * rows[:, None] + slope[:, :, 0, None, None] * columns
            waves = (2 * math.pi * channels_last(along + phase[:, :, None, None])).sin()
            waves = waves * self.attenuation(slope)[:, :, None, None]
            mixed = torch.einsum("nchw,dc->ndhw", waves, self.weight / math.sqrt(self.weight.shape[1]))
        return channels_last(mixed)

    def attenuation(self, slope: Tensor) -> Tensor:
        """Return the amplitude [N, C] that waves of these frequencies [N, C, 2] keep: 1 up to the cutoff, 0 from
        rate / 2 on."""
        return ((self.band.rate / 2 - slope.norm(dim=2)) / (self.band.rate / 2 - self.band.cutoff)).clamp(0, 1)

    def transform_of(self, w: Tensor) -> Tensor:
        """Return cosine and sine of the rotation, on the unit circle, and the translation (x, y): [N, 4]."""
        four = self.affine(w.float())
        return four / four[:, :2].norm(dim=1, keepdim=True)

    def style_matrix(self) -> Tensor:
        """Return the matrix [4, w_dim] by which the style code enters."""
        return self.affine.matrix()


class ModulatedLayer(nn.Module):
    """A layer with weights modulated by a style, whose input is divided by a running root mean square."""

    magnitude: Tensor
    images: Tensor

    def __init__(self, in_channels: int, out_channels: int, kernel: int, w_dim: int):
        super().__init__()
        self.affine = EqualizedLinear(w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("magnitude", torch.ones([]))
        self.register_buffer("images", torch.zeros([]))
        self.seen = RunningMean()

    def gain(self, x: Tensor) -> Tensor:
        """Return the factor [] that brings x [N, C, H, W] to unit mean square; in training x is recorded.

        The first step has no running mean and takes the batch's.
        """
        magnitude = self.magnitude
        if self.training:
            with without_autocast(x):  # no float32 copy of x, which is the largest there is
                now = x.detach().square().mean(dtype=at_least_float32_dtype(x))
            self.seen.add(now)
            magnitude = torch.where(self.images > 0, magnitude, now)
        return (magnitude + 1e-8).rsqrt()

    def follow(self, mean: Tensor, images: Tensor, half_life: float) -> None:
        """Move the running mean square towards a step's, of `images` images; at first it is the mean of all steps."""
        self.images.add_(images)
        rate = torch.maximum(1 - 0.5 ** (images / half_life), images / self.images)
        self.magnitude.lerp_(torch.where(mean.isfinite(), mean, self.magnitude).to(self.magnitude), rate)

    def style_matrix(self) -> Tensor:
        """Return the matrix [in_channels, w_dim] by which the style code enters."""
        return self.affine.matrix()


class StyleGAN3Layer(ModulatedLayer):
    """A modulated convolution, bias, and a leaky ReLU between an upsampling and a downsampling filter."""

    kernel: Tensor | None

    def __init__(self, before: LayerPlan, after: LayerPlan, size: tuple[int, int], how: FilterSettings, w_dim: int):
        """Build the layer; `before`, `after`: its input's and its result's maps. `size`: of the latter, margins
        included."""
        super().__init__(before.channels, after.channels, 1 if how.rotation else 3, w_dim)
        rate = HEADROOM * max(before.band.rate, after.band.rate)
        up, down = round(rate / before.band.rate), round(rate / after.band.rate)
        into, out = before.band._replace(rate=rate), after.band._replace(rate=rate)
        self.how = Resampling(up, sinc_taps(how.taps * up, into), down, sinc_taps(how.taps * down, out), size)
        self.clamp, self.edge = how.clamp, self.weight.shape[2] // 2
        radial = how.rotation and not after.critical  # the data's own spectrum need not be radial
        self.register_buffer("kernel", jinc_kernel(how.taps * down, out) if radial else None, persistent=False)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map x [N, in_channels, h, w] and w [N, w_dim] to [N, out_channels, *size]."""
        gain = self.gain(x)
        # with an edge of zeros all that the kernel reaches is kept, as in published networks
        wider = F.pad(x, (self.edge,) * 4) if self.edge else x
        y = modulated_conv2d(wider, self.weight, self.affine(w), gain=gain)
        y = y + self.bias.to(y.dtype)[:, None, None]
        return filtered_lrelu(y, self.how, self.kernel, clamp=self.clamp)


class StyleGAN3ToImage(ModulatedLayer):
    """A modulated 1x1 convolution to image channels, without demodulation."""

    def __init__(self, in_channels: int, channels: int, w_dim: int, scale: float, clamp: float | None):
        """Build the layer; `scale`: factor of the image. `clamp`: largest magnitude before that factor."""
        super().__init__(in_channels, channels, 1, w_dim)
        self.scale, self.clamp = scale, clamp

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map x [N, in_channels, H, W] and w [N, w_dim] to images [N, channels, H, W], float32."""
        gain = self.gain(x) / math.sqrt(self.weight.shape[1])
        y = modulated_conv2d(x, self.weight, self.affine(w) * gain, demodulate=False).float()
        y = y + self.bias[:, None, None]
        return (y if self.clamp is None else y.clamp(-self.clamp, self.clamp)) * self.scale
