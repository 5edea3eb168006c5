"""Activations with the gain that keeps the signal's variance, and the bias added before them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ggdr.ops.kernels import choose

Activation = Literal["linear", "relu", "lrelu", "tanh", "sigmoid", "elu", "selu", "softplus", "swish"]
SLOPE = 0.2
"""Slope of the leaky ReLU below zero, as in StyleGAN2."""


class ActivationFunction(NamedTuple):
    """An activation function and the gain that restores the variance it takes from a standard normal input."""

    function: Callable[[Tensor, float], Tensor]
    gain: float = 1.0


ACTIVATIONS: dict[str, ActivationFunction] = {
    "linear": ActivationFunction(lambda x, slope: x),
    "relu": ActivationFunction(lambda x, slope: F.relu(x), math.sqrt(2)),
    "lrelu": ActivationFunction(lambda x, slope: F.leaky_relu(x, slope), math.sqrt(2)),
    "tanh": ActivationFunction(lambda x, slope: torch.tanh(x)),
    "sigmoid": ActivationFunction(lambda x, slope: torch.sigmoid(x)),
    "elu": ActivationFunction(lambda x, slope: F.elu(x)),
    "selu": ActivationFunction(lambda x, slope: F.selu(x)),
    "softplus": ActivationFunction(lambda x, slope: F.softplus(x)),
    "swish": ActivationFunction(lambda x, slope: F.silu(x), math.sqrt(2)),
}


def bias_act(
    x: Tensor,
    bias: Tensor | None = None,
    activation: Activation = "linear",
    *,
    slope: float = SLOPE,
    gain: float | None = None,
    clamp: float | None = None,
) -> Tensor:
    """Return clamp(gain * activation(x + bias), -clamp, clamp) for x [N, C, ...] and bias [C].

    slope: slope of the leaky ReLU below zero. gain: factor of the result; None: the activation's default. clamp:
    largest magnitude of the result; None: no limit.
    """
    gain = ACTIVATIONS[activation].gain if gain is None else gain
    compute = choose("bias_act", x) or plain_bias_act
    return compute(x, bias, activation, slope, gain, clamp)


def plain_bias_act(
    x: Tensor, bias: Tensor | None, activation: Activation, slope: float, gain: float, clamp: float | None
) -> Tensor:
    """Compute `bias_act` by PyTorch's operators: the reference that the fused kernel is compared with."""
    if bias is not None:
        x = x + bias.to(x.dtype).reshape(-1, *[1] * (x.ndim - 2))
    x = ACTIVATIONS[activation].function(x, slope)
    x = x if gain == 1 else x * gain
    return x if clamp is None else x.clamp(-clamp, clamp)
