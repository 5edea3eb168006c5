"""Residual blocks that maps themselves scale and shift: U-GAT-IT's and NICE-GAN's (arXiv 1907.10830, 2003.00273)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.adaptive_norm import AdaLIN, Shares
from ggdr.layers.reflected import reflected_conv


class StyleOfMaps(nn.Module):
    """Linear layers from maps to one scale and shift of each channel, for all blocks; none has a bias."""

    def __init__(self, channels: int, pixels: int):
        """Build the layers; `pixels`: of each map; 1: they read the maps' means."""
        super().__init__()
        self.pixels = pixels
        self.fc0 = nn.Linear(channels * pixels, channels, bias=False)
        self.fc1 = nn.Linear(channels, channels, bias=False)
        self.scale = nn.Linear(channels, channels, bias=False)
        self.shift = nn.Linear(channels, channels, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x [N, C, h, w] to scale and shift, both [N, C]."""
        # a sum, since the gradient of a mean comes in the other order in memory
        x = x.flatten(1) if self.pixels > 1 else x.sum(dim=(2, 3)) / (x.shape[2] * x.shape[3])
        x = F.relu(self.fc1(F.relu(self.fc0(x))))
        return self.scale(x), self.shift(x)


class AdaLINBlock(nn.Module):
    """Two 3x3 convolutions with adaptive layer-instance normalization, added to what they read."""

    def __init__(self, channels: int, shares: Shares):
        """Build the block; `shares`: how its normalizations keep theirs."""
        super().__init__()
        self.conv0, self.conv1 = (reflected_conv(channels, channels, 3, bias=False) for _ in range(2))
        self.norm0, self.norm1 = AdaLIN(channels, shares), AdaLIN(channels, shares)

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Map x [N, C, h, w] to the same shape; scale and shift [N, C] are those of the normalizations."""
        y = F.relu(self.norm0(self.conv0(x), scale, shift))
        return x + self.norm1(self.conv1(y), scale, shift)
