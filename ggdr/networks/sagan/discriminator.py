"""The SAGAN discriminator: SNGAN's, with self-attention at one resolution (arXiv 1805.08318)."""

from __future__ import annotations

from torch import nn

from ggdr.layers.attention import SelfAttention, nearest_resolution
from ggdr.networks.sagan import SAGANDiscriminatorConfig
from ggdr.networks.sngan import discriminator


class SAGANDiscriminator(discriminator.SNGANDiscriminator):
    """Maps images to logits, each sample by itself."""

    config: SAGANDiscriminatorConfig

    def with_attention(self, resolution: int, block: nn.Module, out_channels: int) -> nn.Module:
        """Append self-attention to the block of the resolution that has it."""
        attends = resolution == nearest_resolution(self.config.attention, self.map_channels)
        return nn.Sequential(block, SelfAttention(out_channels)) if attends else block
