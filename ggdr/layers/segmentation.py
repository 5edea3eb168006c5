"""A small U-Net that tells the class of each pixel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH = 16
"""channels at full size, doubled at each of three halvings"""


class SegmentationUNet(nn.Module):
    """Three halvings, three doublings that see the maps of their size again (Ronneberger et al. 2015, fig. 1)."""

    def __init__(self, channels: int, classes: int):
        super().__init__()
        first, second, third, last = (WIDTH * 2**level for level in range(4))
        self.down = nn.ModuleList(
            [layer(channels, first), layer(first, second, 2), layer(second, third, 2), layer(third, last, 2)]
        )
        self.middle = layer(last, last)
        self.up = nn.ModuleList(
            [layer(last + third, third), layer(third + second, second), layer(second + first, first)]
        )
        self.classes = nn.Conv2d(first, classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Images [N, C, H, W] in [-1, 1] to class logits [N, K, H, W]."""
        maps = [images]
        for down in self.down:
            maps.append(down(maps[-1]))
        x = self.middle(maps.pop())
        for up in self.up:
            beside = maps.pop()
            x = up(torch.cat([F.interpolate(x, beside.shape[2:]), beside], dim=1))
        return self.classes(x)


def layer(into: int, out: int, stride: int = 1) -> nn.Sequential:
    """A 3x3 convolution, normalized over groups of 8 channels each."""
    return nn.Sequential(nn.Conv2d(into, out, 3, stride, padding=1), nn.GroupNorm(out // 8, out), nn.SiLU())
