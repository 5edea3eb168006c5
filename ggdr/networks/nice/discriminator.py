"""NICE-GAN's discriminator: an encoder that the generators share, and two heads of patches (arXiv 2003.00273)."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.errors import UserError
from ggdr.layers.cam import ResidualAttention
from ggdr.layers.projection import patch_logits
from ggdr.layers.reflected import reflected_conv
from ggdr.layers.spectral import apply_spectral_norm
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.networks.nice import NICEDiscriminatorConfig
from ggdr.networks.size import LEAST_PATCH, check_halvings
from ggdr.ops.activation import SLOPE
from ggdr.ops.layout import channels_last


class Shape(NamedTuple):
    """How often an image is halved, and where."""

    encoder: int
    """Halvings of the encoder."""
    shared: int
    """Whether the layer that both heads share halves, 1 or 0."""
    further: int
    """Further halvings of the global head."""


class NICEDiscriminator(Discriminator):
    """Maps images to logits of small and of large patches, and to codes."""

    def __init__(self, config: NICEDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        self.shape = shape = fitting_shape(config, (spec.height, spec.width))
        check_halvings((spec.height, spec.width), sum(shape), config.name)
        widths = [config.channels << level for level in range(shape.encoder)]
        self.encoder = nn.ModuleList(reflected_conv(i, o, 4, 2) for i, o in pairwise([spec.channels, *widths]))
        self.attention = ResidualAttention(widths[-1])
        self.shared = reflected_conv(widths[-1], 2 * widths[-1], 4, 1 + shape.shared)
        self.local_head = NICEHead(2 * widths[-1], 0, spec.labels)
        self.global_head = NICEHead(2 * widths[-1], shape.further, spec.labels)
        widths += [widths[-1] << level for level in range(1, shape.shared + shape.further + 1)]
        self.map_channels = {spec.height >> level: width for level, width in reversed([*enumerate(widths, start=1)])}
        size = (spec.height >> shape.encoder, spec.width >> shape.encoder)
        self.size_divisor = 1 << shape.encoder
        self.code_spec = ImageSpec(*size, config.channels << (shape.encoder - 1))
        """what its codes are, for whoever decodes them"""
        embeds = [head.embed for head in (self.local_head, self.global_head) if head.embed is not None]
        apply_spectral_norm(self, exclude=[*self.attention.children(), *embeds])

    def encode(self, images: Tensor) -> Tensor:
        """Return codes [N, K, h, w] of images [N, C, H, W], as `code_spec` describes them."""
        return self.attended(images)[0]

    def attended(self, image: Tensor) -> tuple[Tensor, Tensor, dict[int, Tensor]]:
        """Return codes, the classifier's logits [N, 1] float32, and the encoder's maps by resolution, codes last."""
        x, maps = channels_last(image), {}
        for level, layer in enumerate(self.encoder, start=1):
            maps[self.spec.height >> level] = x = F.leaky_relu(layer(x), SLOPE)
        codes, logits = self.attention(x)
        return codes, logits, maps | {self.code_spec.height: codes}

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """Map image [N, C, H, W] in [-1, 1] and labels [N, L] to logits [N, P] of the local head, and in `more_logits`
        those of the global head and the classifier's, and to `codes`; it draws no `resolutions`."""
        codes, judged, maps = self.attended(image)
        x = F.leaky_relu(self.shared(codes), SLOPE)
        if self.shape.shared:
            maps[x.shape[2]] = x
        near, _ = self.local_head(x, labels)
        far, halved = self.global_head(x, labels)
        return DiscriminatorOutput(near, maps=maps | halved, more_logits=(far, judged), codes=codes)

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N, P] float32 of the local head, and the halved maps: resolution r -> [N, map_channels[r], r,
        r * W / H]."""
        said = self(image, labels)
        return said.logits, said.maps

    def stages(self) -> list[nn.Module]:
        """Return the encoder's layers, its attention, the layer that the heads share, and both heads together."""
        heads = [[*head.layers, head.out] for head in (self.local_head, self.global_head)]
        return [*self.encoder, self.attention, self.shared, nn.ModuleList([*heads[0], *heads[1]])]


class NICEHead(nn.Module):
    """Convolutions to a map of logits."""

    def __init__(self, in_channels: int, halvings: int, labels: int):
        """Build the head; `halvings`: strided layers. `labels`: width of the label vector."""
        super().__init__()
        widths = [in_channels << level for level in range(halvings + 2)]
        strides = [2] * halvings + [1]
        pairs = zip(pairwise(widths), strides, strict=True)
        self.halvings = halvings
        self.layers = nn.ModuleList(reflected_conv(i, o, 4, stride) for (i, o), stride in pairs)
        self.out = reflected_conv(widths[-1], 1, 4, bias=False)
        self.embed = nn.Linear(labels, widths[-1], bias=False) if labels else None

    def forward(self, x: Tensor, labels: Tensor | None) -> tuple[Tensor, dict[int, Tensor]]:
        """Map x [N, in_channels, h, w] and labels [N, L] to logits [N, P] float32, and its halved maps by
        resolution."""
        maps = {}
        for place, layer in enumerate(self.layers):
            x = F.leaky_relu(layer(x), SLOPE)
            if place < self.halvings:
                maps[x.shape[2]] = x
        return patch_logits(self.out, self.embed, x, labels), maps


def fitting_shape(config: NICEDiscriminatorConfig, size: tuple[int, int]) -> Shape:
    """Return the settings' shape, or with fewer halvings where an image of this size (pixels) would leave no patch.

    UserError for images that are too small.
    """
    side, encoder = min(size), config.halvings
    shapes = [Shape(encoder, 1, further) for further in reversed(range(config.global_halvings + 1))]
    shapes += [Shape(fewer, 0, 0) for fewer in range(encoder, 0, -1)]
    for shape in shapes:
        shared = side >> (shape.encoder + 1) if shape.shared else (side >> shape.encoder) - 1
        if shared >> shape.further >= LEAST_PATCH + 1:
            return shape
    raise UserError(f"'nice' finds no patch in {size[0]} x {size[1]} px; it needs {2 * (LEAST_PATCH + 2)} px a side.")
