"""BigGAN-deep's residual blocks, whose shortcuts hand channels on as they are (arXiv 1809.11096, fig. 16)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.attention import SelfAttention
from ggdr.layers.norm import ConditionalBatchNorm2d
from ggdr.layers.residual import Norm, normalization
from ggdr.ops.scales import upsample_nearest

NARROWER = 4
"""times, between a block's first and last convolution"""


class UpBottleneck(nn.Module):
    """Narrow, convolve twice, widen: each after normalization and ReLU; the shortcut drops the channels beyond."""

    def __init__(self, inputs: int, outputs: int, code: int, up: bool):
        """`outputs`: at most `inputs`. `code`: width of what steers normalization. `up`: whether it doubles."""
        super().__init__()
        inner, self.outputs, self.up = max(inputs // NARROWER, 1), outputs, up
        self.norm0, self.conv0 = ConditionalBatchNorm2d(inputs, code), nn.Conv2d(inputs, inner, 1)
        self.norm1, self.conv1 = ConditionalBatchNorm2d(inner, code), nn.Conv2d(inner, inner, 3, padding=1)
        self.norm2, self.conv2 = ConditionalBatchNorm2d(inner, code), nn.Conv2d(inner, inner, 3, padding=1)
        self.norm3, self.conv3 = ConditionalBatchNorm2d(inner, code), nn.Conv2d(inner, outputs, 1)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """x [N, inputs, H, W] and code [N, D] to [N, outputs, 2 * H, 2 * W], or with H, W if it does not double."""
        y = F.relu(self.norm1(self.conv0(F.relu(self.norm0(x, code))), code))
        y = self.conv1(upsample_nearest(y) if self.up else y)
        y = self.conv2(F.relu(self.norm2(y, code)))
        y = self.conv3(F.relu(self.norm3(y, code)))
        kept = x[:, : self.outputs]
        return y + (upsample_nearest(kept) if self.up else kept)


class UpStage(nn.Module):
    """A block that keeps the size, one that doubles it, and attention where asked."""

    def __init__(self, inputs: int, outputs: int, code: int, attention: bool):
        super().__init__()
        self.plain, self.up = UpBottleneck(inputs, inputs, code, False), UpBottleneck(inputs, outputs, code, True)
        self.attention = SelfAttention(outputs) if attention else None

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """x [N, inputs, H, W] and code [N, D] to [N, outputs, 2 * H, 2 * W]."""
        x = self.up(self.plain(x, code), code)
        return x if self.attention is None else self.attention(x)


class DownBottleneck(nn.Module):
    """Narrow, convolve twice, widen, each after ReLU; a 1x1 convolution adds the channels that the shortcut lacks."""

    def __init__(self, inputs: int, outputs: int, norm: Norm, down: bool):
        """`outputs`: at least `inputs`. `norm`: "layer": before each ReLU. `down`: whether it halves."""
        super().__init__()
        inner, self.down = max(outputs // NARROWER, 1), down
        self.norm0, self.conv0 = normalization(norm, inputs), nn.Conv2d(inputs, inner, 1)
        self.norm1, self.conv1 = normalization(norm, inner), nn.Conv2d(inner, inner, 3, padding=1)
        self.norm2, self.conv2 = normalization(norm, inner), nn.Conv2d(inner, inner, 3, padding=1)
        self.norm3, self.conv3 = normalization(norm, inner), nn.Conv2d(inner, outputs, 1)
        self.more = nn.Conv2d(inputs, outputs - inputs, 1) if outputs > inputs else None

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] to [N, outputs, H / 2, W / 2], or with H, W if it does not halve."""
        y = self.conv0(F.relu(self.norm0(x)))
        y = self.conv1(F.relu(self.norm1(y)))
        y = F.relu(self.norm3(self.conv2(F.relu(self.norm2(y)))))
        if self.down:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        x = x if self.more is None else torch.cat([x, self.more(x)], dim=1)
        return x + self.conv3(y)
