"""Bilinear sampling with two derivatives: torch's own, and ours for a torch that has only one."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F

from ggdr.ops import bilinear as module
from ggdr.ops.bilinear import grid_sample


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize("native", [True, False])
def test_values_and_two_derivatives(native, padding, align_corners, monkeypatch):
    if native and not module.NATIVE:
        pytest.skip("this torch has no second derivative of its own")
    monkeypatch.setattr(module, "NATIVE", native)
    torch.manual_seed(0)
    x = torch.randn(2, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    grid = torch.rand(2, 3, 4, 2, dtype=torch.float64) * 2.6 - 1.3
    expected = F.grid_sample(x, grid, padding_mode=padding, align_corners=align_corners)
    torch.testing.assert_close(grid_sample(x, grid, padding, align_corners), expected)

    def squared(x):  # sampling is linear: its square has a second derivative to check
        return grid_sample(x, grid, padding, align_corners).square()

    assert gradcheck(squared, x) and gradgradcheck(squared, x)
