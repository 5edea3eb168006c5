"""U-GAT-IT's discriminator: a global and a local network of patches, each with attention (arXiv 1907.10830)."""

from __future__ import annotations

from itertools import pairwise, zip_longest

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.cam import Attention
from ggdr.layers.projection import patch_logits
from ggdr.layers.reflected import reflected_conv
from ggdr.layers.spectral import apply_spectral_norm
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.networks.size import fitting_halvings
from ggdr.networks.ugatit import UGATITDiscriminatorConfig
from ggdr.ops.activation import SLOPE
from ggdr.ops.layout import channels_last


class UGATITDiscriminator(Discriminator):
    """Maps images to logits of large and of small patches, and to those of classifiers; its pyramid is the global
    network's."""

    def __init__(self, config: UGATITDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        size = (spec.height, spec.width)
        wide, near = (fitting_halvings(n, size, config.name) for n in (config.halvings, config.local_halvings))
        self.global_net = AttentivePatchNet(config.channels, wide, spec)
        self.local_net = AttentivePatchNet(config.channels, near, spec)
        nets = (self.global_net, self.local_net)
        self.map_channels = {spec.height >> level: config.channels << (level - 1) for level in range(wide, 0, -1)}
        bare = [net.attention.conv for net in nets], [net.embed for net in nets if net.embed is not None]
        apply_spectral_norm(self, exclude=[*bare[0], *bare[1]])

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """Map image [N, C, H, W] in [-1, 1] and labels [N, L] to logits [N, P] of the global network, and in
        `more_logits` its classifiers' [N, 2], the local network's and its classifiers'; it draws no `resolutions`."""
        image = channels_last(image)
        wide, wide_classes, maps = self.global_net(image, labels)
        near, near_classes, _ = self.local_net(image, labels)
        return DiscriminatorOutput(wide, maps=maps, more_logits=(wide_classes, near, near_classes))

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N, P] float32 of the global network, and its halved maps: resolution r -> [N,
        map_channels[r], r, r * W / H]."""
        logits, _, maps = self.global_net(channels_last(image), labels)
        return logits, maps

    def stages(self) -> list[nn.Module]:
        """Return the layers from the image inwards, those of both networks together."""
        layers = zip_longest(*([*net.layers, net.attention, net.out] for net in (self.global_net, self.local_net)))
        return [nn.ModuleList(filter(None, each)) for each in layers]


class AttentivePatchNet(nn.Module):
    """Strided convolutions, attention to what tells reals from fakes, and a logit of each patch."""

    def __init__(self, channels: int, halvings: int, spec: ImageSpec):
        """Build the network; `channels`: after the first of `halvings`."""
        super().__init__()
        widths = [channels << level for level in range(halvings + 1)]
        strides = [2] * halvings + [1]
        pairs = zip(pairwise([spec.channels, *widths]), strides, strict=True)
        self.halvings = halvings
        self.layers = nn.ModuleList(reflected_conv(i, o, 4, stride) for (i, o), stride in pairs)
        self.attention = Attention(widths[-1])
        self.out = reflected_conv(widths[-1], 1, 4, bias=False)
        self.embed = nn.Linear(spec.labels, widths[-1], bias=False) if spec.labels else None

    def forward(self, image: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor, dict[int, Tensor]]:
        """Map image [N, C, H, W] and labels [N, L] to logits [N, P] and those of the classifiers [N, 2], both float32,
        and its halved maps by resolution."""
        x, logits, maps = self.attended(image)
        return patch_logits(self.out, self.embed, x, labels), logits, maps

    def attended(self, image: Tensor) -> tuple[Tensor, Tensor, dict[int, Tensor]]:
        """Return the maps [N, K, h, w] that the attention chooses, whose sum over K is the heat map, the logits [N, 2]
        of its classifiers, and the halved maps by resolution."""
        x, maps = image, dict[int, Tensor]()
        for place, layer in enumerate(self.layers):
            x = F.leaky_relu(layer(x), SLOPE)
            if place < self.halvings:
                maps[x.shape[2]] = x
        x, logits = self.attention(x)
        return F.leaky_relu(x, SLOPE), logits, maps
