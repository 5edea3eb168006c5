"""SRResNet: residual blocks with batch normalization, then doublings by PixelShuffle (arXiv 1609.04802, fig. 4)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.norm import BatchNorm2d
from ggdr.networks.base import ImageSpec
from ggdr.networks.base.enlarging import EnlargingTranslator
from ggdr.networks.srresnet import SRResNetTranslatorConfig


class SRResNetTranslator(EnlargingTranslator):
    """Maps images to larger ones."""

    config: SRResNetTranslatorConfig

    def __init__(self, config: SRResNetTranslatorConfig, spec: ImageSpec, source: ImageSpec):
        super().__init__(config, spec, source, config.channels)
        width = config.channels
        self.first = nn.Sequential(nn.Conv2d(source.channels + spec.labels, width, 9, padding=4), nn.PReLU())
        self.blocks = nn.Sequential(*(SRResNetBlock(width) for _ in range(config.blocks)))
        self.last = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), BatchNorm2d(width))
        self.up = nn.ModuleList(ShuffleUp(width) for _ in range(self.doublings))
        self.toimage = nn.Conv2d(width, spec.channels, 9, padding=4)

    def enter(self, shown: Tensor) -> Tensor:
        """Return the maps that the residual blocks make of images [N, Cs, Hs, Ws]."""
        x = self.first(shown)
        return x + self.last(self.blocks(x))


class SRResNetBlock(nn.Module):
    """Two 3x3 convolutions with batch normalization, added to what they read."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv0 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm0, self.act = BatchNorm2d(channels), nn.PReLU()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, channels, h, w] to the same shape."""
        return x + self.norm1(self.conv1(self.act(self.norm0(self.conv0(x)))))


class ShuffleUp(nn.Module):
    """A convolution to four times the channels, which become four pixels each (arXiv 1609.05158)."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv, self.act = nn.Conv2d(channels, 4 * channels, 3, padding=1), nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, channels, h, w] to [N, channels, 2 * h, 2 * w]."""
        return self.act(F.pixel_shuffle(self.conv(x), 2))
