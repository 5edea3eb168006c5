"""The two layers a style controls: convolution with noise, and to-image (StyleGAN2, arXiv 1912.04958, fig. 2)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from ggdr.layers.equalized import EqualizedLinear, activated
from ggdr.ops.activation import CURVES
from ggdr.ops.modulation import modulated_conv2d

Noise = Literal["random", "const", "none"]


class StyledConv2d(nn.Module):
    """A modulated 3x3 convolution, noise of a learned strength, bias, leaky ReLU."""

    noise_const: Tensor

    def __init__(
        self, inputs: int, outputs: int, w_dim: int, size: tuple[int, int], *, up: int = 1, clamp: float | None = None
    ):
        """`size`: height and width of the result, pixels. `clamp`: bound of it."""
        super().__init__()
        self.up, self.size, self.clamp = up, size, clamp
        self.affine = EqualizedLinear(w_dim, inputs, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros([]))
        self.register_buffer("noise_const", torch.randn(size))

    def forward(self, x: Tensor, w: Tensor, noise: Noise) -> Tensor:
        """x [N, inputs, H, W] and w [N, w_dim] to [N, outputs, up * H, up * W]."""
        gain = CURVES["lrelu"].gain  # applied ahead of the activation, which is the same and spares a pass
        field = self.noise(x, noise)
        field = None if field is None else field * self.noise_strength
        y = modulated_conv2d(x, self.weight, self.affine(w), up=self.up, noise=field, gain=gain)
        return activated(y, "lrelu", self.clamp, self.bias * gain)

    def style_matrix(self) -> Tensor:
        """What a change of the style code is multiplied by, [inputs, w_dim]."""
        return self.affine.matrix()

    def noise(self, x: Tensor, mode: Noise) -> Tensor | None:
        """Standard normal values: [N, 1, H, W] fresh, the [H, W] kept from the start, or none."""
        if mode == "random":
            return torch.randn(x.shape[0], 1, *self.size, device=x.device)
        return self.noise_const if mode == "const" else None


class ToImage(nn.Module):
    """A modulated 1x1 convolution to image channels, without demodulation."""

    def __init__(self, inputs: int, channels: int, w_dim: int, *, clamp: float | None = None):
        """`clamp`: bound of the share."""
        super().__init__()
        self.clamp = clamp
        self.affine = EqualizedLinear(w_dim, inputs, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(channels, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.style_gain = 1 / math.sqrt(inputs)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """x [N, inputs, H, W] and w [N, w_dim] to the image's share [N, channels, H, W], float32."""
        y = modulated_conv2d(x, self.weight, self.affine(w) * self.style_gain, demodulate=False)
        return activated(y.float() + self.bias[:, None, None], "linear", self.clamp)

    def style_matrix(self) -> Tensor:
        """What a change of the style code is multiplied by, [inputs, w_dim]."""
        return self.affine.matrix() * self.style_gain
