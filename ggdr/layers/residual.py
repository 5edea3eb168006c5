"""Residual blocks that double or halve feature maps (arXiv 1704.00028, 1802.05957); labels steer normalization."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.attention import SelfAttention
from ggdr.layers.norm import ConditionalBatchNorm2d, LayerNorm
from ggdr.ops.scales import upsample_nearest

Norm = Literal["spectral", "none", "layer"]


class UpBlock(nn.Module):
    """Twice: batch normalization, ReLU, convolution, the maps doubled before the first; the shortcut is one pixel wide.

    (Gulrajani et al. 2017; with labels Miyato & Koyama 2018; BigGAN, arXiv 1809.11096, fig. 15b.)
    """

    def __init__(self, inputs: int, outputs: int, code: int, attention: bool = False):
        """`code`: width of what steers normalization, 0: nothing. `attention`: follows the block."""
        super().__init__()
        self.norm0, self.norm1 = ConditionalBatchNorm2d(inputs, code), ConditionalBatchNorm2d(outputs, code)
        self.conv0 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv1 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1)
        self.attention = SelfAttention(outputs) if attention else None

    def forward(self, x: Tensor, code: Tensor | None) -> Tensor:
        """x [N, inputs, H, W] and code [N, D] to [N, outputs, 2 * H, 2 * W]."""
        y = self.conv0(upsample_nearest(F.relu(self.norm0(x, code))))
        y = self.conv1(F.relu(self.norm1(y, code)))
        y = y + upsample_nearest(self.skip(x))  # a convolution of single pixels is the same before and after doubling
        return y if self.attention is None else self.attention(y)


class DownBlock(nn.Module):
    """Twice: ReLU, convolution; then the maps are halved by averaging. The block on the image has no ReLU before it."""

    def __init__(self, inputs: int, outputs: int, *, norm: Norm, image: bool = False, down: bool = True):
        """`image`: it sees the image itself. `down`: whether it halves the maps. `norm`: "layer": before each ReLU."""
        super().__init__()
        self.image, self.down = image, down
        self.norm0 = nn.Identity() if image else normalization(norm, inputs)
        self.norm1 = normalization(norm, outputs)
        self.conv0 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv1 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if down or inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] to [N, outputs, H / 2, W / 2], or with H, W if it does not halve."""
        y = self.conv0(x if self.image else F.relu(self.norm0(x)))
        y = self.conv1(F.relu(self.norm1(y)))
        if self.down:  # the shortcut is halved first, which is the same and a quarter of the work
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        return y + (x if self.skip is None else self.skip(x))


def normalization(norm: Norm, channels: int) -> nn.Module:
    """Layer normalization over channels and places, scaled by channel (arXiv 1607.06450), where asked; else nothing."""
    return LayerNorm(channels) if norm == "layer" else nn.Identity()
