"""StarGAN's discriminator: strided convolutions, logits of patches, and heads on all of the last maps (1711.09020)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.projection import patch_logits
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.networks.size import check_halvings
from ggdr.networks.stargan import StarGANDiscriminatorConfig
from ggdr.networks.unet.heads import Heads
from ggdr.ops.layout import channels_last

SLOPE = 0.01
"""Slope of the leaky ReLU below zero."""


class StarGANDiscriminator(Discriminator):
    """Maps images to logits of patches; labels are what its heads tell, and it is not told them."""

    def __init__(self, config: StarGANDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        check_halvings((spec.height, spec.width), 1, config.name)
        height, in_width, width = spec.height, spec.width, spec.channels
        self.layers, halved = nn.ModuleList(), dict[int, int]()
        while len(self.layers) < config.halvings and height % 2 == in_width % 2 == 0:
            in_channels, width = width, config.channels << len(self.layers)
            self.layers.append(nn.Conv2d(in_channels, width, 4, 2, padding=1))
            height, in_width = height // 2, in_width // 2
            halved[height] = width
        self.map_channels = dict(sorted(halved.items()))
        self.out = nn.Conv2d(width, 1, 3, padding=1, bias=False)
        self.heads = Heads(width * height * in_width, extra.heads, equalized=False)

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N, P] float32 of P patches, and the halved maps: resolution r -> [N, K, r, r * W / H]."""
        x, maps = channels_last(image), dict[int, Tensor]()
        for layer in self.layers:
            x = F.leaky_relu(channels_last(layer(x)), SLOPE)
            maps[x.shape[2]] = x
        return patch_logits(self.out, None, x, None), maps

    def output(self, logits: Tensor, maps: dict[int, Tensor], labels: Tensor | None = None) -> DiscriminatorOutput:
        """Return logits and maps, and what the heads say of the last maps."""
        return DiscriminatorOutput(logits, maps=maps, head_outputs=self.heads(maps[min(maps)].flatten(1)))

    def stages(self) -> list[nn.Module]:
        """Return the layers from the image inwards."""
        return [*self.layers, self.out]
