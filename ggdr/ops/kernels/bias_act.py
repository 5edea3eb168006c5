"""Bias, activation, gain and clamp in one pass over memory, and the one pass of their derivatives, in Triton.

Only the result is kept for the derivative: where it is positive the input was, and where it is at the limit it was cut
(there torch's derivative is that of the inside, this one 0). The bias's derivative is summed by torch, in float32.
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
from ggdr.ops.kernels import agree, state
from ggdr.ops.kernels.tiles import line, memory_format, wide

BLOCK = 1024
SIDES: dict[str, float | None] = {"linear": 1.0, "relu": 0.0, "lrelu": None}
"""the activations that it computes and their slopes below zero; None: as asked for"""


class How(NamedTuple):
    """What is done after the bias is added."""

    activation: plain.Activation
    slope: float
    gain: float
    clamp: float | None


def run(
    x: Tensor, bias: Tensor | None, activation: plain.Activation, slope: float, gain: float, clamp: float | None
) -> Tensor:
    """As `ggdr.ops.activation.bias_act`; the plain path where the sign or the limit could not be told from the result.

    Out of place, for x of float32, bfloat16 or float16; computed in float32.
    """
    if activation not in SIDES or gain <= 0 or slope < 0 or (clamp is not None and clamp <= 0) or x.ndim < 2:
        return plain.plain_bias_act(x, bias, activation, slope, gain, clamp)
    if bias is not None and (bias.shape != x.shape[1:2] or bias.device != x.device):
        return plain.plain_bias_act(x, bias, activation, slope, gain, clamp)
    below = SIDES[activation]
    return BiasAct.apply(x, bias, How(activation, slope if below is None else below, gain, clamp))


class BiasAct(Function):
    """clamp(gain * act(x + bias)); its derivative is `Slope`."""

    @staticmethod
    def forward(ctx, x: Tensor, bias: Tensor | None, how: How) -> Tensor:
        y = state("bias_act", x.device).attempt(
            lambda: activated(x, bias, how),
            lambda: plain.plain_bias_act(x, bias, *how),
        )
        ctx.save_for_backward(y)
        ctx.how, ctx.bias_dtype = how, None if bias is None else bias.dtype
        return y

    @staticmethod
    def backward(ctx, gradient: Tensor):
        (y,) = ctx.saved_tensors
        dx = Slope.apply(gradient, y, ctx.how)
        if not ctx.needs_input_grad[1]:
            return dx, None, None
        return dx, dx.sum([0, *range(2, dx.ndim)], dtype=torch.float32).to(ctx.bias_dtype), None


class Slope(Function):
    """gradient * d(y) / d(x): linear in the gradient, so it is its own derivative, and flat in y."""

    @staticmethod
    def forward(ctx, gradient: Tensor, y: Tensor, how: How) -> Tensor:
        ctx.save_for_backward(y)
        ctx.how = how
        return state("bias_act", y.device).attempt(
            lambda: sloped(gradient, y, how), lambda: plain_slope(gradient, y, how)
        )

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return Slope.apply(gradient, *ctx.saved_tensors, ctx.how), None, None


def plain_slope(gradient: Tensor, y: Tensor, how: How) -> Tensor:
    """What `sloped` computes, by torch."""
    below = gradient * (how.slope * how.gain)
    dx = torch.where(y > 0, gradient * how.gain, below) if how.activation != "linear" else gradient * how.gain
    return dx if how.clamp is None else torch.where(y.abs() < how.clamp, dx, torch.zeros_like(dx))


def activated(x: Tensor, bias: Tensor | None, how: How) -> Tensor:
    """Launch `forward_kernel` on x [N, C, ...] and bias [C]."""
    layout = memory_format(x)
    x = x.contiguous(memory_format=layout)
    y = torch.empty_like(x)
    inner = 1 if layout == torch.channels_last else x[0, 0].numel()
    with torch.cuda.device_of(x):
        forward_kernel[(triton.cdiv(x.numel(), BLOCK),)](
            x, x if bias is None else bias.contiguous(), y, x.numel(), x.shape[1], inner,
            float(how.gain), float(how.slope), float(how.clamp or 0.0),
            BIAS=bias is not None, ACTIVATION=how.activation, CLAMP=how.clamp is not None, BLOCK=BLOCK, WIDE=wide(x),
        )  # fmt: skip
    return y


def sloped(gradient: Tensor, y: Tensor, how: How) -> Tensor:
    """Launch `slope_kernel` on two tensors of one shape; the result lies in memory as y does."""
    gradient = gradient.contiguous(memory_format=memory_format(y))
    dx = torch.empty_like(y)
    with torch.cuda.device_of(y):
        slope_kernel[(triton.cdiv(y.numel(), BLOCK),)](
            gradient, y, dx, y.numel(), float(how.gain), float(how.slope), float(how.clamp or 0.0),
            ACTIVATION=how.activation, CLAMP=how.clamp is not None, BLOCK=BLOCK, WIDE=wide(y),
        )  # fmt: skip
    return dx


@triton.jit
def forward_kernel(
    x_at, bias_at, y_at, size, channels, inner, gain, slope, limit,
    BIAS: tl.constexpr, ACTIVATION: tl.constexpr, CLAMP: tl.constexpr, BLOCK: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """y of x, both `size` elements in memory's order, whose channel changes every `inner` elements."""
    at = line(tl.program_id(0), BLOCK, WIDE)
    y = tl.load(x_at + at, mask=at < size).to(tl.float32)
    if BIAS:
        y += tl.load(bias_at + at // inner % channels, mask=at < size).to(tl.float32)
    if ACTIVATION == "relu":
        y = tl.where(y < 0, 0.0, y)
    if ACTIVATION == "lrelu":
        y = tl.where(y > 0, y, y * slope)
    y *= gain
    if CLAMP:  # so that what is not a number stays so
        y = tl.where(y > limit, limit, tl.where(y < -limit, -limit, y))
    tl.store(y_at + at, y.to(y_at.dtype.element_ty), mask=at < size)


@triton.jit
def slope_kernel(
    gradient_at, y_at, dx_at, size, gain, slope, limit,
    ACTIVATION: tl.constexpr, CLAMP: tl.constexpr, BLOCK: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """dx of the result's gradient, all `size` elements in one order."""
    at = line(tl.program_id(0), BLOCK, WIDE)
    dx = tl.load(gradient_at + at, mask=at < size).to(tl.float32) * gain
    y = tl.load(y_at + at, mask=at < size).to(tl.float32)
    if ACTIVATION != "linear":
        dx = tl.where(y > 0, dx, dx * slope)
    if CLAMP:
        dx = tl.where(tl.abs(y) < limit, dx, 0.0)
    tl.store(dx_at + at, dx.to(dx_at.dtype.element_ty), mask=at < size)


def probe(device: str) -> None:
    """Raise where values or slopes of a tiny tensor are wrong."""
    x, bias = torch.linspace(-2, 2, 30, device=device).view(1, 3, 10), torch.ones(3, device=device)
    how = How("lrelu", 0.2, 1.5, 2.0)
    y = activated(x, bias, how)
    agree(y, plain.plain_bias_act(x, bias, *how))
    agree(sloped(x, y, how), plain_slope(x, y, how))
