"""The SAGAN discriminator: SNGAN's, with one block attending to itself (arXiv 1805.08318)."""

from __future__ import annotations

from torch import nn

from ggdr.layers.attention import SelfAttention, nearest_side
from ggdr.networks.sagan import SAGANDiscriminatorConfig
from ggdr.networks.sngan import discriminator


class SAGANDiscriminator(discriminator.SNGANDiscriminator):
    """Images to logits, each by itself."""

    config: SAGANDiscriminatorConfig

    def finished(self, resolution: int, block: nn.Module, outputs: int) -> nn.Module:
        """A block, and attention where asked."""
        attends = resolution == nearest_side(self.config.attention, self.map_channels)
        return nn.Sequential(block, SelfAttention(outputs)) if attends else block
