"""The PatchGAN discriminator: strided convolutions to a map of logits, at one or several scales (arXiv 1611.07004)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.layers.norm import InstanceNorm2d
from ggdr.layers.projection import patch_logits
from ggdr.layers.spectral import apply_spectral_norm
from ggdr.networks.base import DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.networks.dcgan.init import initialise
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.size import check_halvings, fitting_halvings
from ggdr.ops.activation import SLOPE
from ggdr.ops.blur_pool import blur_down
from ggdr.ops.layout import channels_last

WIDEST = 8
"""Widest maps, times the settings' channels."""


class PatchDiscriminator(Discriminator):
    """Maps images to logits of their patches; its pyramid is that of the whole image's scale."""

    def __init__(self, config: PatchDiscriminatorConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        size = (spec.height, spec.width)
        check_halvings(size, config.scales - 1, config.name)
        self.scales = [PatchNet(config, spec, (size[0] >> n, size[1] >> n)) for n in range(config.scales)]
        self.nets = nn.ModuleList(self.scales)
        self.map_channels = self.scales[0].map_channels
        initialise(self, config.init)
        if config.spectral:
            apply_spectral_norm(self, exclude=[net.embed for net in self.scales if net.embed is not None])

    def forward(
        self, image: Tensor, labels: Tensor | None = None, *, resolutions: tuple[int, ...] = ()
    ) -> DiscriminatorOutput:
        """Map image [N, C, H, W] in [-1, 1] and labels [N, L] to logits [N, P] of P patches, and those of further
        scales in `more_logits`; it draws no `resolutions`."""
        logits, layers = list[Tensor](), list[tuple[Tensor, ...]]()
        for scale, net in enumerate(self.scales):
            image = F.avg_pool2d(image, 3, stride=2, padding=1, count_include_pad=False) if scale else image
            said, each = net(image, labels)
            logits.append(said)
            layers.append(each)
        maps = self.scales[0].halved(layers[0])
        return DiscriminatorOutput(logits[0], maps=maps, more_logits=tuple(logits[1:]), layer_maps=tuple(layers))

    def pyramid(self, image: Tensor, labels: Tensor | None = None) -> tuple[Tensor, dict[int, Tensor]]:
        """Return logits [N, P] float32, and the halved maps: resolution r -> [N, map_channels[r], r, r * W / H]."""
        logits, layers = self.scales[0](image, labels)
        return logits, self.scales[0].halved(layers)

    def stages(self) -> list[nn.Module]:
        """Return the layers from the image inwards, those of all scales together."""
        layers = zip_longest(*([*net.layers, net.out] for net in self.scales))
        return [nn.ModuleList(filter(None, each)) for each in layers]


class PatchNet(nn.Module):
    """The discriminator of one scale."""

    def __init__(self, config: PatchDiscriminatorConfig, spec: ImageSpec, size: tuple[int, int]):
        """Build the network; `size`: height and width of the images that it sees, pixels."""
        super().__init__()
        note = f" at {config.scales} scales" if config.scales > 1 else ""
        halvings = fitting_halvings(config.halvings, size, config.name, config.unstrided, note)
        width, self.map_channels = spec.channels, dict[int, int]()
        self.layers = nn.ModuleList()
        for level in range(halvings + config.unstrided):
            in_channels, width = width, min(1 << level, WIDEST) * config.channels
            halves = level < halvings
            self.layers.append(PatchLayer(config, in_channels, width, halves=halves, normed=level > 0))
            if halves:
                self.map_channels[size[0] >> (level + 1)] = width
        self.map_channels = dict(sorted(self.map_channels.items()))
        self.out = nn.Conv2d(width, 1, 4, padding=1)
        self.embed = nn.Linear(spec.labels, width, bias=False) if spec.labels else None

    def forward(self, image: Tensor, labels: Tensor | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Map image [N, C, H, W] and labels [N, L] to logits [N, P] float32, and the maps of all other layers."""
        x, maps = channels_last(image), list[Tensor]()
        for layer in self.layers:
            x = layer(x)
            maps.append(x)
        return patch_logits(self.out, self.embed, x, labels), tuple(maps)

    def halved(self, layers: Sequence[Tensor]) -> dict[int, Tensor]:
        """Return the maps of the layers that halve them, which come first, by resolution."""
        return {maps.shape[2]: maps for maps in layers[: len(self.map_channels)]}


class PatchLayer(nn.Module):
    """A 4x4 convolution, normalization, a leaky ReLU, and a blur where that halves the maps."""

    def __init__(
        self, config: PatchDiscriminatorConfig, in_channels: int, out_channels: int, *, halves: bool, normed: bool
    ):
        """Build the layer; `halves`: it halves the maps; else they lose a pixel. `normed`: it is normalized."""
        super().__init__()
        self.blurs = halves and config.antialias
        norm = config.norm if normed else "none"
        stride = 2 if halves and not config.antialias else 1
        self.conv = nn.Conv2d(in_channels, out_channels, 4, stride, padding=1, bias=norm != "batch")
        self.norm: nn.Module | None = None
        if norm == "batch":  # no running statistics, as in DCGAN's
            self.norm = nn.BatchNorm2d(out_channels, track_running_stats=False)
        elif norm == "instance":
            self.norm = InstanceNorm2d()

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in_channels, H, W] to [N, out_channels, H / 2, W / 2], or to [N, out_channels, H - 1, W - 1]."""
        x = channels_last(self.conv(x))
        x = F.leaky_relu(x if self.norm is None else self.norm(x), SLOPE)
        return blur_down(x) if self.blurs else x
