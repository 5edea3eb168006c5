"""The two layers that a style controls: convolution with noise, and to-image (StyleGAN2, arXiv 1912.04958, fig. 2)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from ggdr.layers.equalized import EqualizedLinear, activate_
from ggdr.ops.activation import ACTIVATIONS
from ggdr.ops.modulation import WeightConstants, modulated_conv2d, weight_constants
from ggdr.ops.precision import compute_dtype

Noise = Literal["random", "const", "none"]


class WeightCache:
    """Caches `weight_constants` of a weight that takes no gradient from call to call, until the weight changes.

    It is for evaluation only: in training weights rest on the other player's turn, and fused optimizers change them
    without raising their version.
    """

    def __init__(self) -> None:
        self.key: tuple[Tensor, tuple] | None = None
        self.value: WeightConstants | None = None

    def constants(self, weight: Tensor, dtype: torch.dtype, up: int) -> WeightConstants | None:
        """Return the constants of weight [O, I, k, k] for `dtype` and `up`; None where it may learn or be traced."""
        traced = torch.compiler.is_compiling() or torch.jit.is_tracing()
        if weight.requires_grad or traced or weight.is_inference():
            return None
        state = weight._version, weight.data_ptr(), dtype
        if self.key is None or self.key[0] is not weight or self.key[1] != state:
            with torch.inference_mode(False):  # what is kept may serve a call that takes gradients
                self.key, self.value = (weight, state), weight_constants(weight, dtype, up)
        return self.value

    def __reduce__(self) -> tuple[type[WeightCache], tuple[()]]:
        """Copy and pickle as an empty cache: the copied layer has another weight."""
        return WeightCache, ()


class NoiseLayer(nn.Module):
    """A layer that adds noise to each pixel."""

    noise_const: Tensor
    size: tuple[int, int]
    """Height and width of the noise, pixels."""

    def register_noise(self, size: tuple[int, int]) -> None:
        """Draw the noise that mode "const" uses, and register it as a buffer."""
        self.size = size
        self.register_buffer("noise_const", torch.randn(size))

    def noise(self, x: Tensor, mode: Noise) -> Tensor | None:
        """Return standard normal noise: fresh [N, 1, H, W] for "random", the registered [H, W] for "const", or None."""
        if mode == "random":
            return torch.randn(x.shape[0], 1, *self.size, device=x.device)
        return self.noise_const if mode == "const" else None


class StyledConv2d(NoiseLayer):
    """A modulated 3x3 convolution, then noise of a learned strength, bias and leaky ReLU."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        w_dim: int,
        size: tuple[int, int],
        *,
        up: int = 1,
        clamp: float | None = None,
    ):
        """Build the layer; `size`: height and width of the result, pixels. `clamp`: largest magnitude of the result."""
        super().__init__()
        self.up, self.clamp = up, clamp
        self.affine = EqualizedLinear(w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.noise_strength = nn.Parameter(torch.zeros([]))
        self.register_noise(size)
        self.cache = WeightCache()

    def forward(self, x: Tensor, w: Tensor, noise: Noise) -> Tensor:
        """Map x [N, in_channels, H, W] and style w [N, w_dim] to [N, out_channels, up * H, up * W]."""
        gain = ACTIVATIONS["lrelu"].gain  # applied ahead of the activation, which is the same and spares a pass
        field = self.noise(x, noise)
        field = None if field is None else field * self.noise_strength
        kept = None if self.training else self.cache.constants(self.weight, compute_dtype(x), self.up)
        y = modulated_conv2d(x, self.weight, self.affine(w), up=self.up, noise=field, gain=gain, constants=kept)
        return activate_(y, "lrelu", self.clamp, self.bias * gain)

    def style_matrix(self) -> Tensor:
        """Return the matrix [in_channels, w_dim] by which the style code enters."""
        return self.affine.matrix()


class ToImage(nn.Module):
    """A modulated 1x1 convolution to image channels, without demodulation."""

    def __init__(self, in_channels: int, channels: int, w_dim: int, *, clamp: float | None = None):
        """Build the layer; `clamp`: largest magnitude of its contribution to the image."""
        super().__init__()
        self.clamp = clamp
        self.affine = EqualizedLinear(w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.style_gain = 1 / math.sqrt(in_channels)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map x [N, in_channels, H, W] and w [N, w_dim] to a contribution to the image [N, channels, H, W], float32."""
        y = modulated_conv2d(x, self.weight, self.affine(w) * self.style_gain, demodulate=False)
        return activate_(y.float() + self.bias[:, None, None], "linear", self.clamp)

    def style_matrix(self) -> Tensor:
        """Return the matrix [in_channels, w_dim] by which the style code enters."""
        return self.affine.matrix() * self.style_gain
