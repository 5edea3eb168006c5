"""Modulated convolution (StyleGAN2, arXiv 1912.04958, eq. 1 and 3)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ggdr.ops.convolution import resampling_conv2d
from ggdr.ops.precision import at_least_float32, in_float16, without_autocast
from ggdr.ops.winograd import Planes


class Constants(NamedTuple):
    """What a modulated convolution makes of its weight alone."""

    weight: Tensor
    """[O, I, k, k] as the convolution takes it: its precision, its order in memory"""
    energy: Tensor
    """[O, I], sums of squares over each kernel, at least float32"""
    planes: Planes | None = None
    """what Winograd's convolution makes of it"""


def constants(weight: Tensor, dtype: torch.dtype, up: int = 1) -> Constants:
    """The constants of weight [O, I, k, k] for a convolution in `dtype`; `up`: 1 or 2."""
    order = torch.channels_last
    if up == 1:
        return Constants(weight.to(dtype, memory_format=order), energy_of(weight), Planes(weight))
    return Constants(weight.transpose(0, 1).to(dtype, memory_format=order).transpose(0, 1), energy_of(weight))


def modulated_conv2d(
    x: Tensor,
    weight: Tensor,
    styles: Tensor,
    *,
    demodulate: bool = True,
    up: int = 1,
    noise: Tensor | None = None,
    gain: float | Tensor = 1.0,
    kept: Constants | None = None,
) -> Tensor:
    """Convolve each sample with weights scaled by its style, bring the variance back to one, add noise.

    x: [N, I, H, W]. weight: [O, I, k, k], k odd. styles: [N, I]. up: 1 or 2. noise: [N, 1, up * H, up * W] or
    [up * H, up * W]. gain: factor of the result. kept: the weight's `constants`, where they are known; no gradient
    reaches the weight then. Returns [N, O, up * H, up * W].

    Scaling the activations before and after one shared convolution is the same as scaling the weights, and faster
    than a convolution in groups, which is what the paper suggests. In float16 weights and styles are brought to
    at most one beforehand (StyleGAN2-ADA, arXiv 2006.06676, appendix).
    """
    if demodulate:
        if in_float16(x):  # demodulation undoes these factors, and nothing on the way overflows
            kept = None
            weight = weight / weight.norm(torch.inf, (1, 2, 3), keepdim=True) / math.sqrt(weight[0].numel())
            styles = styles / styles.norm(torch.inf, 1, keepdim=True)
        shared, energy, planes = kept or Constants(weight, energy_of(weight))
        y = resampling_conv2d(x * styles[:, :, None, None].to(x.dtype), shared, up=up, planes=planes)
        y = y * (demodulation(energy, styles) * gain).to(y.dtype)[:, :, None, None]
    elif weight.shape[2:] == (1, 1) and up == 1:
        y = _modulated_pixels(x, weight[:, :, 0, 0], styles * gain)
    else:
        y = resampling_conv2d(x * (styles * gain)[:, :, None, None].to(x.dtype), weight, up=up)
    return y if noise is None else y.add_((noise * gain).to(y.dtype))


def _modulated_pixels(x: Tensor, weight: Tensor, styles: Tensor) -> Tensor:
    """One matrix product a sample with its own weights: for few outputs that spares scaling all that goes in."""
    own = weight * styles[:, None, :]  # [N, O, I]
    pixels = torch.bmm(x.flatten(2).transpose(1, 2), own.to(x.dtype).transpose(1, 2))  # [N, H * W, O], channels last
    return pixels.transpose(1, 2).unflatten(2, x.shape[2:])


def energy_of(weight: Tensor) -> Tensor:
    """Sums of squares over each kernel of weight [O, I, k, k]: [O, I], at least float32."""
    return at_least_float32(weight).square().sum((2, 3))


def demodulation(energy: Tensor, styles: Tensor) -> Tensor:
    """One over the norm of each sample's scaled weights (eq. 3): [N, O], at least float32, by one matrix product.

    energy: [O, I], of the weight. styles: [N, I].
    """
    with without_autocast(styles):
        squares = at_least_float32(styles).square() @ energy.T
    return (squares + 1e-8).rsqrt()
