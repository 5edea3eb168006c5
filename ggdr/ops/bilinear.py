"""Bilinear sampling that can be differentiated any number of times, on every torch that the package supports."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional as F

from ggdr.ops.version import TORCH

NATIVE = TORCH >= (2, 12)
"""whether torch's own grid_sample has a second derivative"""
PADDING = {"zeros": 0, "border": 1}


def bilinear(x: Tensor, grid: Tensor, padding: str, align_corners: bool) -> Tensor:
    """x [N, C, h, w] read at grid [N, H, W, 2], x and y from -1 to 1: [N, C, H, W]; the grid takes no gradient.

    padding: "zeros" or "border", what lies outside. align_corners: -1 and 1 are centres of pixels, not their edges.
    """
    if NATIVE:
        return F.grid_sample(x, grid, mode="bilinear", padding_mode=padding, align_corners=align_corners)
    return Read.apply(x, grid, padding, align_corners)


class Read(Function):
    """Sampling is linear in x, so its derivative is its adjoint, whatever x is."""

    @staticmethod
    def forward(ctx, x: Tensor, grid: Tensor, padding: str, align_corners: bool) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.settings = padding, align_corners, x.shape
        return F.grid_sample(x, grid, mode="bilinear", padding_mode=padding, align_corners=align_corners)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return Spread.apply(gradient, *ctx.saved_tensors, *ctx.settings), None, None, None


class Spread(Function):
    """The adjoint: each value goes back, in shares, to the pixels it would have been read from."""

    @staticmethod
    def forward(ctx, y: Tensor, grid: Tensor, padding: str, align_corners: bool, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.settings = padding, align_corners
        return spread(y, grid, padding, align_corners, shape)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return Read.apply(gradient, *ctx.saved_tensors, *ctx.settings), None, None, None, None


def spread(y: Tensor, grid: Tensor, padding: str, align_corners: bool, shape: torch.Size) -> Tensor:
    """The adjoint of `bilinear`, from y [N, C, H, W] to the x of `shape`; not differentiable."""
    options = 0, PADDING[padding], align_corners, [True, False]
    return torch.ops.aten.grid_sampler_2d_backward(y.contiguous(), y.new_zeros(shape), grid, *options)[0]
