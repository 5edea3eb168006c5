"""Bias, activation, gain and clamp in one pass over memory, and the one pass of their derivatives, in Triton.

Only the result is saved for the derivative: where it is positive the input was, and where it is at the limit it was
clamped (torch's derivative at the limit is 1, this one is 0). The bias's derivative is summed by torch, in float32.
Checked by Triton's interpreter; its speed on a GPU has not been measured.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd import Function

from ggdr.ops import activation as plain
from ggdr.ops.kernels import check_close, kernel_state
from ggdr.ops.kernels.tiles import flat_indices, memory_format, needs_int64

BLOCK = 1024
NEGATIVE_SLOPES: dict[str, float | None] = {"linear": 1.0, "relu": 0.0, "lrelu": None}
"""Activations that the kernel computes and their slopes below zero; None: the caller's `slope`."""


class BiasActConfig(NamedTuple):
    """What is computed after the bias is added: the activation, its slope below zero, gain and clamp."""

    activation: plain.Activation
    slope: float
    gain: float
    clamp: float | None


def run(
    x: Tensor, bias: Tensor | None, activation: plain.Activation, slope: float, gain: float, clamp: float | None
) -> Tensor:
    """Compute `ggdr.ops.activation.bias_act`, by the plain path where y does not determine the derivative.

    Out of place, for x of float32, bfloat16 or float16; computed in float32.
    """
    if activation not in NEGATIVE_SLOPES or gain <= 0 or slope < 0 or (clamp is not None and clamp <= 0) or x.ndim < 2:
        return plain.plain_bias_act(x, bias, activation, slope, gain, clamp)
    if bias is not None and (bias.shape != x.shape[1:2] or bias.device != x.device):
        return plain.plain_bias_act(x, bias, activation, slope, gain, clamp)
    below = NEGATIVE_SLOPES[activation]
    return BiasAct.apply(x, bias, BiasActConfig(activation, slope if below is None else below, gain, clamp))


class BiasAct(Function):
    """The autograd function of clamp(gain * act(x + bias)); its derivative is `BiasActBackward`."""

    @staticmethod
    def forward(ctx, x: Tensor, bias: Tensor | None, config: BiasActConfig) -> Tensor:
        y = kernel_state("bias_act", x.device).attempt(
            lambda: launch_forward(x, bias, config),
            lambda: plain.plain_bias_act(x, bias, *config),
        )
        ctx.save_for_backward(y)
        ctx.config, ctx.bias_dtype = config, None if bias is None else bias.dtype
        return y

    @staticmethod
    def backward(ctx, gradient: Tensor):
        (y,) = ctx.saved_tensors  # x is not needed: y has its sign, and shows where it was clamped
        dx = BiasActBackward.apply(gradient, y, ctx.config)
        if not ctx.needs_input_grad[1]:
            return dx, None, None
        return dx, dx.sum([0, *range(2, dx.ndim)], dtype=torch.float32).to(ctx.bias_dtype), None


class BiasActBackward(Function):
    """The autograd function of gradient * d(y) / d(x): linear in the gradient, its own derivative, and flat in y."""

    @staticmethod
    def forward(ctx, gradient: Tensor, y: Tensor, config: BiasActConfig) -> Tensor:
        ctx.save_for_backward(y)
        ctx.config = config
        return kernel_state("bias_act", y.device).attempt(
            lambda: launch_backward(gradient, y, config), lambda: plain_backward(gradient, y, config)
        )

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return BiasActBackward.apply(gradient, *ctx.saved_tensors, ctx.config), None, None


def plain_backward(gradient: Tensor, y: Tensor, config: BiasActConfig) -> Tensor:
    """Compute `launch_backward` by PyTorch's operators."""
    below = gradient * (config.slope * config.gain)
    dx = torch.where(y > 0, gradient * config.gain, below) if config.activation != "linear" else gradient * config.gain
    return dx if config.clamp is None else torch.where(y.abs() < config.clamp, dx, torch.zeros_like(dx))


def launch_forward(x: Tensor, bias: Tensor | None, config: BiasActConfig) -> Tensor:
    """Launch `forward_kernel` on x [N, C, ...] and bias [C]."""
    layout = memory_format(x)
    x = x.contiguous(memory_format=layout)
    y = torch.empty_like(x)
    inner = 1 if layout == torch.channels_last else x[0, 0].numel()  # elements in memory before the channel changes
    with torch.cuda.device_of(x):  # Triton launches on the current device, which need not be x's
        forward_kernel[(triton.cdiv(x.numel(), BLOCK),)](
            # without a bias any pointer will do, since BIAS=False compiles its load away
            x, x if bias is None else bias.contiguous(), y, x.numel(), x.shape[1], inner,
            float(config.gain), float(config.slope), float(config.clamp or 0.0),
            BIAS=bias is not None, ACTIVATION=config.activation, CLAMP=config.clamp is not None, BLOCK=BLOCK, 
            WIDE=needs_int64(x),
        )  # fmt: skip
    return y


def launch_backward(gradient: Tensor, y: Tensor, config: BiasActConfig) -> Tensor:
    """Launch `backward_kernel` on two tensors of one shape; the result has y's memory format."""
    gradient = gradient.contiguous(memory_format=memory_format(y))
    dx = torch.empty_like(y)
    with torch.cuda.device_of(y):
        backward_kernel[(triton.cdiv(y.numel(), BLOCK),)](
            gradient, y, dx, y.numel(), float(config.gain), float(config.slope), float(config.clamp or 0.0),
            ACTIVATION=config.activation, CLAMP=config.clamp is not None, BLOCK=BLOCK, WIDE=needs_int64(y),
        )  # fmt: skip
    return dx


@triton.jit
def forward_kernel(
    x_at, bias_at, y_at, size, channels, inner, gain, slope, limit,
    BIAS: tl.constexpr, ACTIVATION: tl.constexpr, CLAMP: tl.constexpr, BLOCK: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Compute y from x, both `size` elements in memory's order, whose channel changes every `inner` elements."""
    at = flat_indices(tl.program_id(0), BLOCK, WIDE)
    y = tl.load(x_at + at, mask=at < size).to(tl.float32)
    if BIAS:
        y += tl.load(bias_at + at // inner % channels, mask=at < size).to(tl.float32)
    if ACTIVATION == "relu":
        y = tl.where(y < 0, 0.0, y)
    if ACTIVATION == "lrelu":
        y = tl.where(y > 0, y, y * slope)
    y *= gain
    if CLAMP:  # not by tl.minimum and tl.maximum, which need not pass NaN on
        y = tl.where(y > limit, limit, tl.where(y < -limit, -limit, y))
    tl.store(y_at + at, y.to(y_at.dtype.element_ty), mask=at < size)


@triton.jit
def backward_kernel(
    gradient_at, y_at, dx_at, size, gain, slope, limit,
    ACTIVATION: tl.constexpr, CLAMP: tl.constexpr, BLOCK: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Compute dx from the gradient of y, all `size` elements in one order."""
    at = flat_indices(tl.program_id(0), BLOCK, WIDE)
    dx = tl.load(gradient_at + at, mask=at < size).to(tl.float32) * gain
    y = tl.load(y_at + at, mask=at < size).to(tl.float32)
    if ACTIVATION != "linear":
        dx = tl.where(y > 0, dx, dx * slope)
    if CLAMP:
        dx = tl.where(tl.abs(y) < limit, dx, 0.0)
    tl.store(dx_at + at, dx.to(dx_at.dtype.element_ty), mask=at < size)


def probe(device: str) -> None:
    """Raise an error where values or derivatives of a tiny tensor are wrong."""
    x, bias = torch.linspace(-2, 2, 30, device=device).view(1, 3, 10), torch.ones(3, device=device)
    config = BiasActConfig("lrelu", 0.2, 1.5, 2.0)
    y = launch_forward(x, bias, config)
    check_close(y, plain.plain_bias_act(x, bias, *config))
    check_close(launch_backward(x, y, config), plain_backward(x, y, config))
