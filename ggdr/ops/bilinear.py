"""Bilinear sampling that can be differentiated any number of times, on every torch version that the package
supports."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional as F

from ggdr.ops.version import TORCH

NATIVE = TORCH >= (2, 12)
"""Whether torch's grid_sample has a second derivative."""
PADDING_MODES = {"zeros": 0, "border": 1}


def grid_sample(x: Tensor, grid: Tensor, padding: str, align_corners: bool) -> Tensor:
    """Sample x [N, C, h, w] bilinearly at grid [N, H, W, 2] in [-1, 1] to [N, C, H, W]; grid takes no gradient.

    padding: "zeros" or "border", what lies outside. align_corners: -1 and 1 are centres of pixels, not their edges.
    """
    if NATIVE:
        return F.grid_sample(x, grid, mode="bilinear", padding_mode=padding, align_corners=align_corners)
    return GridSample.apply(x, grid, padding, align_corners)


class GridSample(Function):
    """Bilinear sampling as an autograd function: it is linear in x, so its derivative is its adjoint, whatever x is."""

    @staticmethod
    def forward(ctx, x: Tensor, grid: Tensor, padding: str, align_corners: bool) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.settings = padding, align_corners, x.shape
        return F.grid_sample(x, grid, mode="bilinear", padding_mode=padding, align_corners=align_corners)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return GridSampleBackward.apply(gradient, *ctx.saved_tensors, *ctx.settings), None, None, None


class GridSampleBackward(Function):
    """The adjoint of bilinear sampling: each value is added to the four pixels it is read from, by their weights."""

    @staticmethod
    def forward(ctx, y: Tensor, grid: Tensor, padding: str, align_corners: bool, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.settings = padding, align_corners
        return grid_sample_backward(y, grid, padding, align_corners, shape)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return GridSample.apply(gradient, *ctx.saved_tensors, *ctx.settings), None, None, None, None


def grid_sample_backward(y: Tensor, grid: Tensor, padding: str, align_corners: bool, shape: torch.Size) -> Tensor:
    """Apply the adjoint of `grid_sample` to y [N, C, H, W] and return x of `shape`; not differentiable."""
    options = 0, PADDING_MODES[padding], align_corners, [True, False]
    return torch.ops.aten.grid_sampler_2d_backward(y.contiguous(), y.new_zeros(shape), grid, *options)[0]
