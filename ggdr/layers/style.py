"""The two layers a style controls: convolution with noise, and to-image (StyleGAN2, arXiv 1912.04958, fig. 2)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from ggdr.layers.equalized import EqualizedLinear, activated
from ggdr.ops.activation import ACTIVATIONS
from ggdr.ops.modulation import WeightConstants, modulated_conv2d, weight_constants
from ggdr.ops.precision import compute_dtype

Noise = Literal["random", "const", "none"]


class WeightCache:
    """The constants of a weight that takes no gradient, from call to call, as long as it stays what it is.

    Only for evaluation: in training weights rest on the other player's turn, and fused optimizers move them unnoticed.
    """

    def __init__(self) -> None:
        self.of: tuple[Tensor, tuple] | None = None
        self.found: WeightConstants | None = None

    def constants(self, weight: Tensor, dtype: torch.dtype, up: int) -> WeightConstants | None:
        """Those of weight [O, I, k, k] for convolutions in `dtype`; None where it may learn or be traced."""
        traced = torch.compiler.is_compiling() or torch.jit.is_tracing()
        if weight.requires_grad or traced or weight.is_inference():
            return None
        state = weight._version, weight.data_ptr(), dtype
        if self.of is None or self.of[0] is not weight or self.of[1] != state:
            with torch.inference_mode(False):  # what is kept may serve a call that takes gradients
                self.of, self.found = (weight, state), weight_constants(weight, dtype, up)
        return self.found

    def __reduce__(self) -> tuple[type[WeightCache], tuple[()]]:
        """A copy of the layer, or a pickled one, begins without: its weight is another."""
        return WeightCache, ()


class Noisy(nn.Module):
    """A layer with per-pixel noise."""

    noise_const: Tensor
    size: tuple[int, int]
    """height and width of the noise, pixels"""

    def keep_noise(self, size: tuple[int, int]) -> None:
        """Draw the noise that stays the same."""
        self.size = size
        self.register_buffer("noise_const", torch.randn(size))

    def noise(self, x: Tensor, mode: Noise) -> Tensor | None:
        """Standard normal values: [N, 1, H, W] fresh, the [H, W] kept from the start, or none."""
        if mode == "random":
            return torch.randn(x.shape[0], 1, *self.size, device=x.device)
        return self.noise_const if mode == "const" else None


class StyledConv2d(Noisy):
    """A modulated 3x3 convolution, noise of a learned strength, bias, leaky ReLU."""

    def __init__(
        self, inputs: int, outputs: int, w_dim: int, size: tuple[int, int], *, up: int = 1, clamp: float | None = None
    ):
        """`size`: height and width of the result, pixels. `clamp`: bound of it."""
        super().__init__()
        self.up, self.clamp = up, clamp
        self.affine = EqualizedLinear(w_dim, inputs, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros([]))
        self.keep_noise(size)
        self.kept = WeightCache()

    def forward(self, x: Tensor, w: Tensor, noise: Noise) -> Tensor:
        """x [N, inputs, H, W] and w [N, w_dim] to [N, outputs, up * H, up * W]."""
        gain = ACTIVATIONS["lrelu"].gain  # applied ahead of the activation, which is the same and spares a pass
        field = self.noise(x, noise)
        field = None if field is None else field * self.noise_strength
        kept = None if self.training else self.kept.constants(self.weight, compute_dtype(x), self.up)
        y = modulated_conv2d(x, self.weight, self.affine(w), up=self.up, noise=field, gain=gain, constants=kept)
        return activated(y, "lrelu", self.clamp, self.bias * gain)

    def style_matrix(self) -> Tensor:
        """What a change of the style code is multiplied by, [inputs, w_dim]."""
        return self.affine.matrix()


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
