"""Equalized learning rate: weights of unit variance, scaled when used (PGGAN, arXiv 1710.10196, sec. 4.1)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.ops.activation import ACTIVATIONS, SLOPE
from ggdr.ops.convolution import resampling_conv2d
from ggdr.ops.kernels import choose

Activation = Literal["linear", "lrelu"]


class EqualizedLinear(nn.Module):
    """A linear layer with an equalized learning rate, then an activation with its gain."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        activation: Activation = "linear",
        bias_init: float = 0.0,
        lr_multiplier: float = 1.0,
    ):
        """Build the layer; `lr_multiplier`: learning rate of its weights and biases relative to the optimizer's."""
        super().__init__()
        self.activation = activation
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / lr_multiplier)
        self.bias = nn.Parameter(torch.full([out_features], bias_init / lr_multiplier))
        gain = ACTIVATIONS[activation].gain * lr_multiplier
        self.weight_gain, self.bias_gain = gain / math.sqrt(in_features), gain

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_features] to [N, out_features]."""
        bias = self.bias if self.bias_gain == 1 else self.bias * self.bias_gain
        # scaling what goes in is the same as scaling the weights, of which there are more
        return activate_(F.linear(x * self.weight_gain, self.weight, bias), self.activation)

    def matrix(self) -> Tensor:
        """Return the weights as they are used, scaled, [out_features, in_features]."""
        return self.weight * self.weight_gain


class EqualizedConv2d(nn.Module):
    """A convolution with an equalized learning rate that may double or halve the resolution, then an activation."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        activation: Activation = "linear",
        bias: bool = True,
        up: int = 1,
        down: int = 1,
        gain: float = 1.0,
        clamp: float | None = None,
    ):
        """Build the layer; `kernel_size`: odd. `up`, `down`: 1 or 2.

        `gain`: factor of the result. `clamp`: bound of the result before that factor.
        """
        super().__init__()
        self.activation, self.up, self.down = activation, up, down
        self.limit = None if clamp is None else clamp * gain
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        # the activation's gain is applied before it, which is the same, to weights instead of pixels
        self.bias_gain = ACTIVATIONS[activation].gain * gain
        self.weight_gain = self.bias_gain / math.sqrt(in_channels * kernel_size**2)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to [N, out_channels, H * up / down, W * up / down]."""
        bias = None if self.bias is None else self.bias * self.bias_gain
        fused = choose("bias_act", x) is not None  # then the bias is added on the way, else by the convolution
        early, late = (None, bias) if fused else (bias, None)
        y = resampling_conv2d(x, self.weight * self.weight_gain, early, up=self.up, down=self.down)
        return activate_(y, self.activation, self.limit, late)


def activate_(x: Tensor, activation: Activation, limit: float | None = None, bias: Tensor | None = None) -> Tensor:
    """Add bias [C] to x, apply the activation without its gain, clamp to +-limit; in place, so nothing else may need
    `x`.

    Images [N, C, H, W] take the fused kernel where there is one.
    """
    if x.ndim == 4 and (activation, limit, bias) != ("linear", None, None):
        if (kernel := choose("bias_act", x)) is not None:
            return kernel(x, bias, activation, SLOPE, 1.0, limit)
    x = x if bias is None else x.add_(bias.to(x.dtype)[:, None, None])
    x = F.leaky_relu_(x, SLOPE) if activation == "lrelu" else x
    return x if limit is None else x.clamp(-limit, limit)


@torch.no_grad()
def clip_weights(network: nn.Module, limit: float) -> None:
    """Clamp each parameter to +-limit as its layer uses it: equalized layers scale theirs when they run."""
    for module in network.modules():
        gains = {}
        if isinstance(module, EqualizedLinear | EqualizedConv2d):
            gains = {"weight": module.weight_gain, "bias": module.bias_gain}
        for name, parameter in module.named_parameters(recurse=False):
            bound = limit / gains.get(name, 1.0)
            parameter.clamp_(-bound, bound)
