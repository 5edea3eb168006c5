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
    """A linear layer, then an activation with its gain."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        activation: Activation = "linear",
        bias_init: float = 0.0,
        lr_multiplier: float = 1.0,
    ):
        """`lr_multiplier`: learning rate of this layer's weights and biases relative to the optimizer's."""
        super().__init__()
        self.activation = activation
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / lr_multiplier)
        self.bias = nn.Parameter(torch.full([outputs], bias_init / lr_multiplier))
        gain = ACTIVATIONS[activation].gain * lr_multiplier
        self.weight_gain, self.bias_gain = gain / math.sqrt(inputs), gain

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs] to [N, outputs]."""
        bias = self.bias if self.bias_gain == 1 else self.bias * self.bias_gain
        # scaling what goes in is the same as scaling the weights, of which there are more
        return activated(F.linear(x * self.weight_gain, self.weight, bias), self.activation)

    def matrix(self) -> Tensor:
        """Its weights as it uses them, [outputs, inputs]."""
        return self.weight * self.weight_gain


class EqualizedConv2d(nn.Module):
    """A convolution that may double or halve the image, then an activation with its gain."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        activation: Activation = "linear",
        bias: bool = True,
        up: int = 1,
        down: int = 1,
        gain: float = 1.0,
        clamp: float | None = None,
    ):
        """`kernel`: odd. `up`, `down`: 1 or 2. `gain`: factor of the result. `clamp`: bound of it before that."""
        super().__init__()
        self.activation, self.up, self.down = activation, up, down
        self.limit = None if clamp is None else clamp * gain
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        # the activation's gain is applied before it, which is the same, to weights instead of pixels
        self.bias_gain = ACTIVATIONS[activation].gain * gain
        self.weight_gain = self.bias_gain / math.sqrt(inputs * kernel**2)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] to [N, outputs, H * up / down, W * up / down]."""
        bias = None if self.bias is None else self.bias * self.bias_gain
        fused = choose("bias_act", x) is not None  # then the bias is added on the way, else by the convolution
        early, late = (None, bias) if fused else (bias, None)
        y = resampling_conv2d(x, self.weight * self.weight_gain, early, up=self.up, down=self.down)
        return activated(y, self.activation, self.limit, late)


def activated(x: Tensor, activation: Activation, limit: float | None = None, bias: Tensor | None = None) -> Tensor:
    """x plus bias [C], the activation without its gain, kept within +-limit; in place: nothing else may need `x`.

    For images [N, C, H, W] by a kernel where there is one.
    """
    if x.ndim == 4 and (activation, limit, bias) != ("linear", None, None):
        if (kernel := choose("bias_act", x)) is not None:
            return kernel(x, bias, activation, SLOPE, 1.0, limit)
    x = x if bias is None else x.add_(bias.to(x.dtype)[:, None, None])
    x = F.leaky_relu_(x, SLOPE) if activation == "lrelu" else x
    return x if limit is None else x.clamp(-limit, limit)


@torch.no_grad()
def clip_weights(network: nn.Module, limit: float) -> None:
    """Clamp each parameter to +-limit as its layer uses it: equalized layers scale theirs on the way."""
    for module in network.modules():
        gains = {}
        if isinstance(module, EqualizedLinear | EqualizedConv2d):
            gains = {"weight": module.weight_gain, "bias": module.bias_gain}
        for name, parameter in module.named_parameters(recurse=False):
            bound = limit / gains.get(name, 1.0)
            parameter.clamp_(-bound, bound)
