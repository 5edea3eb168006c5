"""The discriminators of BigGAN and BigGAN-deep (arXiv 1809.11096, app. B)."""

from __future__ import annotations

from torch import nn

from ggdr.networks.biggan.bottleneck import DownBottleneck
from ggdr.networks.biggan.init import orthogonal
from ggdr.networks.sagan import discriminator


class BigGANDiscriminator(discriminator.SAGANDiscriminator):
    """SAGAN's discriminator with orthogonal initial weights."""

    def initialise(self) -> None:
        """Initialize the weights, before they are normalized."""
        orthogonal(self)


class BigGANDeepDiscriminator(BigGANDiscriminator):
    """Two bottleneck blocks at each resolution, the first of which halves the maps."""

    def assemble(self) -> nn.Module:
        """Add the downsampling blocks, `b8` from resolution 8 to 4 ..., and return what follows at the base."""
        norm, in_channels = self.config.norm, max(self.config.channels // 2, 1)
        before: nn.Module = nn.Conv2d(self.spec.channels, in_channels, 3, padding=1)
        for resolution, out_channels in reversed(self.map_channels.items()):
            self.add_module(
                f"b{2 * resolution}", nn.Sequential(before, DownBottleneck(in_channels, out_channels, norm, True))
            )
            before, in_channels = (
                self.with_attention(resolution, DownBottleneck(out_channels, out_channels, norm, False), out_channels),
                out_channels,
            )
        return before
