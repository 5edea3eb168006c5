"""BigGAN-deep's residual blocks, whose shortcuts pass channels on unchanged (arXiv 1809.11096, fig. 16)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.attention import SelfAttention
from ggdr.layers.norm import ConditionalBatchNorm2d
from ggdr.layers.residual import Norm, make_norm
from ggdr.ops.scales import upsample_nearest

NARROWER = 4
"""Factor by which a block's inner convolutions are narrower than its ends."""


class UpBottleneck(nn.Module):
    """Bottleneck block: narrow, convolve twice, widen, each after normalization and ReLU; the shortcut drops
    channels."""

    def __init__(self, in_channels: int, out_channels: int, code: int, up: bool):
        """`out_channels`: at most `in_channels`. `code`: width of the code. `up`: whether it upsamples."""
        super().__init__()
        inner, self.out_channels, self.up = max(in_channels // NARROWER, 1), out_channels, up
        self.norm0, self.conv0 = ConditionalBatchNorm2d(in_channels, code), nn.Conv2d(in_channels, inner, 1)
        self.norm1, self.conv1 = ConditionalBatchNorm2d(inner, code), nn.Conv2d(inner, inner, 3, padding=1)
        self.norm2, self.conv2 = ConditionalBatchNorm2d(inner, code), nn.Conv2d(inner, inner, 3, padding=1)
        self.norm3, self.conv3 = ConditionalBatchNorm2d(inner, code), nn.Conv2d(inner, out_channels, 1)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Map x [N, in_channels, H, W] and code [N, D] to [N, out_channels, 2 * H, 2 * W], or H, W without
        upsampling."""
        y = F.relu(self.norm1(self.conv0(F.relu(self.norm0(x, code))), code))
        y = self.conv1(upsample_nearest(y) if self.up else y)
        y = self.conv2(F.relu(self.norm2(y, code)))
        y = self.conv3(F.relu(self.norm3(y, code)))
        kept = x[:, : self.out_channels]
        return y + (upsample_nearest(kept) if self.up else kept)


class UpStage(nn.Module):
    """A block that keeps the resolution, one that doubles it, and attention if `attention`."""

    def __init__(self, in_channels: int, out_channels: int, code: int, attention: bool):
        super().__init__()
        self.plain, self.up = (
            UpBottleneck(in_channels, in_channels, code, False),
            UpBottleneck(in_channels, out_channels, code, True),
        )
        self.attention = SelfAttention(out_channels) if attention else None

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Map x [N, in_channels, H, W] and code [N, D] to [N, out_channels, 2 * H, 2 * W]."""
        x = self.up(self.plain(x, code), code)
        return x if self.attention is None else self.attention(x)


class DownBottleneck(nn.Module):
    """Bottleneck block: narrow, convolve twice, widen, each after ReLU; a 1x1 convolution adds channels to the
    shortcut."""

    def __init__(self, in_channels: int, out_channels: int, norm: Norm, down: bool):
        """Build the block; `out_channels`: at least `in_channels`. `down`: whether it halves the resolution.

        `norm`: "layer" for layer normalization before each ReLU, else none.
        """
        super().__init__()
        inner, self.down = max(out_channels // NARROWER, 1), down
        self.norm0, self.conv0 = make_norm(norm, in_channels), nn.Conv2d(in_channels, inner, 1)
        self.norm1, self.conv1 = make_norm(norm, inner), nn.Conv2d(inner, inner, 3, padding=1)
        self.norm2, self.conv2 = make_norm(norm, inner), nn.Conv2d(inner, inner, 3, padding=1)
        self.norm3, self.conv3 = make_norm(norm, inner), nn.Conv2d(inner, out_channels, 1)
        self.more = nn.Conv2d(in_channels, out_channels - in_channels, 1) if out_channels > in_channels else None

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to [N, out_channels, H / 2, W / 2], or with H, W if it does not halve."""
        y = self.conv0(F.relu(self.norm0(x)))
        y = self.conv1(F.relu(self.norm1(y)))
        y = F.relu(self.norm3(self.conv2(F.relu(self.norm2(y)))))
        if self.down:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        x = x if self.more is None else torch.cat([x, self.more(x)], dim=1)
        return x + self.conv3(y)
