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
"""of the leaky ReLU below zero"""


class Curve(NamedTuple):
    """An activation and the factor that makes up for the variance it takes."""

    function: Callable[[Tensor, float], Tensor]
    gain: float = 1.0


CURVES: dict[str, Curve] = {
    "linear": Curve(lambda x, slope: x),
    "relu": Curve(lambda x, slope: F.relu(x), math.sqrt(2)),
    "lrelu": Curve(lambda x, slope: F.leaky_relu(x, slope), math.sqrt(2)),
    "tanh": Curve(lambda x, slope: torch.tanh(x)),
    "sigmoid": Curve(lambda x, slope: torch.sigmoid(x)),
    "elu": Curve(lambda x, slope: F.elu(x)),
    "selu": Curve(lambda x, slope: F.selu(x)),
    "softplus": Curve(lambda x, slope: F.softplus(x)),
    "swish": Curve(lambda x, slope: F.silu(x), math.sqrt(2)),
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
    """clamp(gain * activation(x + bias), -clamp, clamp), x [N, C, ...] and bias [C].

    slope: of the leaky ReLU. gain: None for the activation's own. clamp: None for no limit.
    """
    gain = CURVES[activation].gain if gain is None else gain
    compute = choose("bias_act", x) or plain_bias_act
    return compute(x, bias, activation, slope, gain, clamp)


def plain_bias_act(
    x: Tensor, bias: Tensor | None, activation: Activation, slope: float, gain: float, clamp: float | None
) -> Tensor:
    """`bias_act` by torch."""
    if bias is not None:
        x = x + bias.to(x.dtype).reshape(-1, *[1] * (x.ndim - 2))
    x = CURVES[activation].function(x, slope)
    x = x if gain == 1 else x * gain
    return x if clamp is None else x.clamp(-clamp, clamp)
