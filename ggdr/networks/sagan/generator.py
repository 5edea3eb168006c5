"""The SAGAN generator: SNGAN's with spectral normalization and self-attention at one resolution (arXiv 1805.08318)."""

from __future__ import annotations

from torch import nn

from ggdr.layers.attention import nearest_resolution
from ggdr.layers.norm import batch_norms
from ggdr.layers.residual import UpBlock
from ggdr.layers.spectral import apply_spectral_norm
from ggdr.networks.base import ImageSpec
from ggdr.networks.sagan import SAGANGeneratorConfig
from ggdr.networks.sngan import generator


class SAGANGenerator(generator.SNGANGenerator):
    """Maps latent codes to images; labels scale and shift batch normalization."""

    config: SAGANGeneratorConfig

    def __init__(self, config: SAGANGeneratorConfig, spec: ImageSpec):
        super().__init__(config, spec)
        # what labels do to normalization starts at zero, which has no singular value to be divided by
        apply_spectral_norm(self, exclude=[layer for _, norm in batch_norms(self) for layer in norm.children()])

    def stage(self, resolution: int, in_channels: int, out_channels: int, code: int) -> nn.Module:
        """Return a block that upsamples to this resolution, with self-attention where it belongs."""
        attends = resolution == nearest_resolution(self.config.attention, list(self.feature_channels)[1:])
        return UpBlock(in_channels, out_channels, code, attends)
