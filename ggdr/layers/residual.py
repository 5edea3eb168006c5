"""Residual blocks that double or halve feature maps (arXiv 1704.00028, 1802.05957); labels modulate normalization."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.attention import SelfAttention
from ggdr.layers.norm import ConditionalBatchNorm2d, LayerNorm
from ggdr.ops.scales import upsample_nearest

Norm = Literal["spectral", "none", "layer"]


class UpBlock(nn.Module):
    """Residual block: batch normalization, ReLU and convolution, twice; it upsamples before the first convolution.

    The shortcut is a 1x1 convolution (Gulrajani et al. 2017; with labels Miyato & Koyama 2018; BigGAN, arXiv
    1809.11096, fig. 15b).
    """

    def __init__(self, in_channels: int, out_channels: int, code: int, attention: bool = False):
        """Build the block; `code`: width of the code that modulates normalization, 0: none. `attention`: added at
        the end."""
        super().__init__()
        self.norm0, self.norm1 = ConditionalBatchNorm2d(in_channels, code), ConditionalBatchNorm2d(out_channels, code)
        self.conv0 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.conv1 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.skip = nn.Conv2d(in_channels, out_channels, 1)
        self.attention = SelfAttention(out_channels) if attention else None

    def forward(self, x: Tensor, code: Tensor | None) -> Tensor:
        """Map x [N, in_channels, H, W] and code [N, D] to [N, out_channels, 2 * H, 2 * W]."""
        y = self.conv0(upsample_nearest(F.relu(self.norm0(x, code))))
        y = self.conv1(F.relu(self.norm1(y, code)))
        y = y + upsample_nearest(self.skip(x))  # a convolution of single pixels is the same before and after doubling
        return y if self.attention is None else self.attention(y)


class DownBlock(nn.Module):
    """Residual block: ReLU and convolution, twice, then average pooling. The block on the image has no ReLU before
    it."""

    def __init__(self, in_channels: int, out_channels: int, *, norm: Norm, image: bool = False, down: bool = True):
        """Build the block; `image`: it reads the image itself. `down`: whether it halves the maps.

        `norm`: "layer" for layer normalization before each ReLU, else none.
        """
        super().__init__()
        self.image, self.down = image, down
        self.norm0 = nn.Identity() if image else make_norm(norm, in_channels)
        self.norm1 = make_norm(norm, out_channels)
        self.conv0 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.conv1 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.skip = nn.Conv2d(in_channels, out_channels, 1) if down or in_channels != out_channels else None

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to [N, out_channels, H / 2, W / 2], or with H, W if it does not halve."""
        y = self.conv0(x if self.image else F.relu(self.norm0(x)))
        y = self.conv1(F.relu(self.norm1(y)))
        if self.down:  # the shortcut is halved first, which is the same and a quarter of the work
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        return y + (x if self.skip is None else self.skip(x))


def make_norm(norm: Norm, channels: int) -> nn.Module:
    """Return layer normalization (arXiv 1607.06450) for "layer", else an identity."""
    return LayerNorm(channels) if norm == "layer" else nn.Identity()
