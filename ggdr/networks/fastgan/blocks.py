"""What FastGAN's generator and decoders are made of: normalised doublings with a gate (arXiv 2101.04775, fig. 3)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.norm import BatchNorm2d
from ggdr.ops import scales
from ggdr.ops.layout import channels_last


class Gated(nn.Module):
    """A convolution to twice the channels, batch normalization, and a gated linear unit that halves them again."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d, norm: nn.Module):
        """`conv`: to twice the channels of the result. `norm`: of as many."""
        super().__init__()
        self.conv, self.norm = conv, norm

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] to half of the convolution's channels."""
        return F.glu(self.norm(self.conv(x)), dim=1)


class Doubling(Gated):
    """Nearest-neighbour doubling, then a gated 3x3 convolution."""

    def __init__(self, in_channels: int, out_channels: int, norm: type[BatchNorm2d] | type[BatchStatistics]):
        super().__init__(nn.Conv2d(in_channels, 2 * out_channels, 3, padding=1, bias=False), norm(2 * out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] to [N, outputs, 2H, 2W]."""
        return super().forward(doubled(x))


class BatchStatistics(nn.BatchNorm2d):
    """Batch normalization by the batch at hand, always: a discriminator is not used alone."""

    def __init__(self, channels: int):
        super().__init__(channels, track_running_stats=False)


def doubled(x: Tensor) -> Tensor:
    """[N, C, H, W] to [N, C, 2H, 2W], each pixel four times."""
    return channels_last(scales.upsample_nearest(x))


def initialise(network: nn.Module) -> None:
    """Convolutions and linear layers from N(0, 0.02), as DCGAN's; the paper does not say."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
