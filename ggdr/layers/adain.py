"""Adaptive instance normalization: a code says the scale and shift of each channel (arXiv 1703.06868, 1804.04732)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.norm import normalize_each


class AdaIN(nn.Module):
    """Adaptive instance normalization: scale and shift come from outside (Huang & Belongie 2017, eq. 8)."""

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Normalize each channel of x [N, C, H, W] by itself, then scale and shift it by [N, C]; the dtype stays."""
        scale, shift = (each.to(x.dtype)[:, :, None, None] for each in (scale, shift))
        return torch.addcmul(shift, normalize_each(x), scale)


class AdaINBlock(nn.Module):
    """Two 3x3 convolutions with reflected edges and adaptive instance normalization, added to what they read."""

    def __init__(self, channels: int):
        super().__init__()
        # normalization would take biases out again
        self.conv0, self.conv1 = (
            nn.Conv2d(channels, channels, 3, padding=1, bias=False, padding_mode="reflect") for _ in range(2)
        )
        self.norm = AdaIN()

    def forward(self, x: Tensor, modulation: Tensor) -> Tensor:
        """Map x [N, channels, h, w] to the same shape; modulation [N, 4, channels]: scale and shift, twice."""
        scale0, shift0, scale1, shift1 = modulation.unbind(1)
        y = F.relu(self.norm(self.conv0(x), scale0, shift0))
        return x + self.norm(self.conv1(y), scale1, shift1)


class StyleMLP(nn.Module):
    """Three fully connected layers from a code to the modulation of all `AdaINBlock`s (Huang et al. 2018, sec. 5.1)."""

    def __init__(self, in_features: int, hidden: int, blocks: int, channels: int):
        """Build the layers; `in_features`: width of the code, `hidden`: width of the layers between."""
        super().__init__()
        self.blocks, self.channels = blocks, channels
        self.fc0, self.fc1 = nn.Linear(in_features, hidden), nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, blocks * 4 * channels)

    def forward(self, code: Tensor) -> Tensor:
        """Map code [N, in_features] to [N, blocks, 4, channels]."""
        modulation = self.out(F.relu(self.fc1(F.relu(self.fc0(code)))))
        return modulation.view(-1, self.blocks, 4, self.channels)

    def begin_neutral(self) -> None:
        """Let scales begin about 1, whatever the code, and shifts about 0: as instance normalization does."""
        with torch.no_grad():
            self.out.bias.view(self.blocks, 4, self.channels)[:, ::2] = 1.0
