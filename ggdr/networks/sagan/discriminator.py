"""The SAGAN discriminator: SNGAN's, with one block attending to itself (arXiv 1805.08318)."""

from __future__ import annotations

from torch import nn

from ggdr.layers.attention import SelfAttention, nearest_resolution
from ggdr.networks.sagan import SAGANDiscriminatorConfig
from ggdr.networks.sngan import discriminator


class SAGANDiscriminator(discriminator.SNGANDiscriminator):
    """Images to logits, each by itself."""

    config: SAGANDiscriminatorConfig

    def finished(self, resolution: int, block: nn.Module, out_channels: int) -> nn.Module:
        """A block, and attention where asked."""
        attends = resolution == nearest_resolution(self.config.attention, self.map_channels)
        return nn.Sequential(block, SelfAttention(out_channels)) if attends else block
