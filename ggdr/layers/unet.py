"""The residual block of U-Net discriminators (U-Net GAN, arXiv 2002.12655; OASIS, arXiv 2012.04781)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.ops.scales import upsample_nearest


class UNetBlock(nn.Module):
    """Two 3x3 convolutions plus a 1x1 shortcut, which halve the maps by averaging or double them by repetition."""

    def __init__(
        self, in_channels: int, out_channels: int, way: Literal["down", "up"], first: bool = False, slope: float = 0.0
    ):
        """Build the block; `first`: it reads the image, before which there is no ReLU. `slope`: of each ReLU, below
        zero."""
        super().__init__()
        self.way, self.first, self.slope = way, first, slope
        self.conv0 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.conv1 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.skip = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to [N, out_channels, H / 2, W / 2] or [N, out_channels, 2 * H, 2 * W]."""
        y = x if self.first else self.activate(x)
        if self.way == "up":
            y, x = upsample_nearest(y), upsample_nearest(x)
        y = self.conv1(self.activate(self.conv0(y))) + self.skip(x)
        return F.avg_pool2d(y, 2) if self.way == "down" else y

    def activate(self, x: Tensor) -> Tensor:
        """Return x, what is below zero times the slope."""
        return F.leaky_relu(x, self.slope) if self.slope else F.relu(x)
