"""Random pictures, and what noise and blur make of them."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def pictures(count, channels=3, height=32, width=32, seed=0):
    """Smooth random pictures, uint8."""
    dice = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, channels, max(height // 4, 2), max(width // 4, 2), generator=dice)
    return F.interpolate(coarse, (height, width), mode="bilinear").mul(255).round().to(torch.uint8)


def noisy(images, strength):
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(1))
    return (images + strength * noise).clamp(0, 255).to(torch.uint8)


def blurred(images, resolution):
    return F.avg_pool2d(images.float(), resolution, 1, resolution // 2, count_include_pad=False).to(torch.uint8)
