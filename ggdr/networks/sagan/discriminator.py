"""The SAGAN discriminator: SNGAN's, with one block attending to itself (arXiv 1805.08318)."""

from __future__ import annotations

from torch import nn

from ggdr.layers.attention import SelfAttention, nearest_side
from ggdr.networks.sagan import SAGANDiscriminator
from ggdr.networks.sngan import discriminator


class Discriminator(discriminator.Discriminator):
    """Images to logits, each by itself."""

    config: SAGANDiscriminator

    def finished(self, side: int, block: nn.Module, outputs: int) -> nn.Module:
        """A block, and attention where asked."""
        attends = side == nearest_side(self.config.attention, self.map_channels)
        return nn.Sequential(block, SelfAttention(outputs)) if attends else block
