"""Modulated convolution (StyleGAN2, arXiv 1912.04958, eq. 1 and 3)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ggdr.ops.convolution import resampling_conv2d
from ggdr.ops.precision import at_least_float32, computes_in_float16, without_autocast
from ggdr.ops.winograd import WinogradWeight


class WeightConstants(NamedTuple):
    """What a modulated convolution computes from its weight alone, and may keep while the weight stays the same."""

    weight: Tensor
    """The weight [O, I, k, k] in the precision and the memory format that the convolution takes."""
    energy: Tensor
    """Sums of squares over each kernel [O, I], at least float32."""
    winograd: WinogradWeight | None = None
    """The weight transformed for Winograd's convolution; None where it is not used."""


def weight_constants(weight: Tensor, dtype: torch.dtype, up: int = 1) -> WeightConstants:
    """Compute the constants of weight [O, I, k, k] for a convolution in `dtype`; up: 1 or 2."""
    order = torch.channels_last
    if up == 1:
        return WeightConstants(weight.to(dtype, memory_format=order), kernel_energy(weight), WinogradWeight(weight))
    return WeightConstants(weight.transpose(0, 1).to(dtype, memory_format=order).transpose(0, 1), kernel_energy(weight))


def modulated_conv2d(
    x: Tensor,
    weight: Tensor,
    styles: Tensor,
    *,
    demodulate: bool = True,
    up: int = 1,
    noise: Tensor | None = None,
    gain: float | Tensor = 1.0,
    constants: WeightConstants | None = None,
) -> Tensor:
    """Convolve each sample with weights scaled by its style, bring the variance back to one, add noise (eq. 1 and 3).

    x: [N, I, H, W]. weight: [O, I, k, k], k odd. styles: [N, I]. up: 1 or 2. noise: [N, 1, up * H, up * W] or [up * H,
    up * W]. gain: factor of the result. constants: the weight's `weight_constants`, where they are known; no gradient
    reaches the weight then. Returns [N, O, up * H, up * W].

    Scaling the activations before and after one shared convolution is the same as scaling the weights, and faster than
    the grouped convolution that the paper suggests. In float16 weights and styles are first divided by their largest
    magnitude (StyleGAN2-ADA, arXiv 2006.06676, appendix).
    """
    if demodulate:
        if computes_in_float16(x):  # demodulation undoes these factors, and nothing on the way overflows
            constants = None
            weight = weight / weight.norm(torch.inf, (1, 2, 3), keepdim=True) / math.sqrt(weight[0].numel())
            styles = styles / styles.norm(torch.inf, 1, keepdim=True)
        shared, energy, winograd_weight = constants or WeightConstants(weight, kernel_energy(weight))
        y = resampling_conv2d(x * styles[:, :, None, None].to(x.dtype), shared, up=up, winograd_weight=winograd_weight)
        y = y * (demodulation_coefficients(energy, styles) * gain).to(y.dtype)[:, :, None, None]
    elif weight.shape[2:] == (1, 1) and up == 1:
        y = _modulate_pointwise(x, weight[:, :, 0, 0], styles * gain)
    else:
        y = resampling_conv2d(x * (styles * gain)[:, :, None, None].to(x.dtype), weight, up=up)
    return y if noise is None else y.add_((noise * gain).to(y.dtype))


def _modulate_pointwise(x: Tensor, weight: Tensor, styles: Tensor) -> Tensor:
    """Multiply each sample by its own 1x1 weights: with few output channels this is cheaper than scaling all of x."""
    own = weight * styles[:, None, :]  # [N, O, I]
    pixels = torch.bmm(x.flatten(2).transpose(1, 2), own.to(x.dtype).transpose(1, 2))  # [N, H * W, O], channels last
    return pixels.transpose(1, 2).unflatten(2, x.shape[2:])


def kernel_energy(weight: Tensor) -> Tensor:
    """Return the sums of squares [O, I] over each kernel of weight [O, I, k, k], at least float32."""
    return at_least_float32(weight).square().sum((2, 3))


def demodulation_coefficients(energy: Tensor, styles: Tensor) -> Tensor:
    """Return one over the norm of each sample's scaled weights (eq. 3): [N, O], at least float32.

    energy: [O, I], `kernel_energy` of the weight. styles: [N, I].
    """
    with without_autocast(styles):
        squares = at_least_float32(styles).square() @ energy.T
    return (squares + 1e-8).rsqrt()
