"""Convolutions whose maps are continued by their mirror image."""

from __future__ import annotations

from torch import nn


def reflected_conv(in_channels: int, out_channels: int, kernel: int, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    """Return a convolution with reflected edges: it keeps the size of maps, or divides it by the stride.

    One of an even kernel and stride 1 takes a pixel of each side.
    """
    padding = (kernel - 1) // 2
    return nn.Conv2d(in_channels, out_channels, kernel, stride, padding, bias=bias, padding_mode="reflect")
