"""The blocks of FastGAN's generator and decoders: gated upsampling (arXiv 2101.04775, fig. 3)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.norm import BatchNorm2d
from ggdr.ops import scales
from ggdr.ops.layout import channels_last


class GatedConv(nn.Module):
    """A convolution to twice the channels, batch normalization, and a gated linear unit that halves them again."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d, norm: nn.Module):
        """Build the block; `conv`: to twice the channels of the result. `norm`: of as many."""
        super().__init__()
        self.conv, self.norm = conv, norm

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to half of the convolution's channels."""
        return F.glu(self.norm(self.conv(x)), dim=1)


class GatedUpsampleBlock(GatedConv):
    """Nearest-neighbour upsampling, then a gated 3x3 convolution."""

    def __init__(self, in_channels: int, out_channels: int, norm: type[BatchNorm2d] | type[BatchStatistics]):
        super().__init__(nn.Conv2d(in_channels, 2 * out_channels, 3, padding=1, bias=False), norm(2 * out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to [N, out_channels, 2H, 2W]."""
        return super().forward(upsample_channels_last(x))


class BatchStatistics(nn.BatchNorm2d):
    """Batch normalization by the batch's own statistics, in evaluation too: a discriminator is not used alone."""

    def __init__(self, channels: int):
        super().__init__(channels, track_running_stats=False)


def upsample_channels_last(x: Tensor) -> Tensor:
    """Double the resolution of [N, C, H, W] by nearest neighbour, in channels-last order."""
    return channels_last(scales.upsample_nearest(x))


def initialise(network: nn.Module) -> None:
    """Initialize convolutions and linear layers from N(0, 0.02), as DCGAN does; the paper does not say."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
