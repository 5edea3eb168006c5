"""pix2pixHD's generator: a global generator, and local enhancers that double its maps (arXiv 1711.11585, fig. 3)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan.init import initialise
from ggdr.networks.pix2pixhd import Pix2PixHDTranslatorConfig
from ggdr.networks.resnet_translator.translator import ConvLayer, ResnetBlock, ResnetTranslator
from ggdr.networks.size import check_halvings, check_same_size


class Pix2PixHDTranslator(ResnetTranslator):
    """Maps images to images: CycleGAN's generator, deeper and on smaller images, within enhancers."""

    config: Pix2PixHDTranslatorConfig

    def __init__(self, config: Pix2PixHDTranslatorConfig, spec: ImageSpec, source: ImageSpec):
        count, size = config.enhancers, (source.height, source.width)
        check_same_size(size, (spec.height, spec.width), config.name)
        check_halvings(size, config.halvings + count, config.name)
        super().__init__(config, halved(spec, count), halved(source, count))
        self.spec, self.source = spec, source
        self.size_divisor <<= count
        self.encoder_channels = ()  # places of its first layers are places of a smaller image
        self.enhancers = nn.ModuleList()
        below = self.feature_channels[spec.height >> count]
        for level in range(count):
            enhancer = Enhancer(config, source.channels + spec.labels, below)
            self.enhancers.append(enhancer)
            resolution = spec.height >> (count - level)
            self.feature_channels[resolution] = below  # what the enhancer makes of the maps below
            self.feature_channels[2 * resolution] = below = enhancer.channels
        if count:
            self.narrow = nn.ModuleList()
            self.toimage = nn.Conv2d(below, spec.channels, 7, padding=3, padding_mode="reflect")
            initialise(self, config.init)

    def maps_of(self, shown: Tensor, z: Tensor | None) -> list[Tensor]:
        """Return the global generator's maps of the halved images [N, C, H, W], and what the enhancers make of them.

        Codes modulate the global generator alone.
        """
        scales = [shown]
        for _ in self.enhancers:
            scales.append(F.avg_pool2d(scales[-1], 2))
        maps = super().maps_of(scales.pop(), z)
        for enhancer in self.enhancers:
            maps[-1], above = enhancer(scales.pop(), maps[-1])
            maps.append(above)
        return maps

    def resting(self, kimg: float) -> list[nn.Parameter]:
        """Return the weights below the last enhancer, as long as the settings let them rest."""
        if kimg >= self.config.freeze_global_kimg:
            return []
        learning = {*self.enhancers[-1].parameters(), *self.toimage.parameters()}
        return [parameter for parameter in self.parameters() if parameter not in learning]


class Enhancer(nn.Module):
    """Layers that halve an image, add maps of that size, and double their sum."""

    def __init__(self, config: Pix2PixHDTranslatorConfig, in_channels: int, below: int):
        """Build the enhancer of images of `in_channels`; `below`: channels of the maps that it adds."""
        super().__init__()
        self.channels = max(below // 2, 1)
        norm, strided = config.norm, not config.antialias
        self.down = nn.Sequential(
            ConvLayer(in_channels, self.channels, 7, norm),
            ConvLayer(self.channels, below, 3, norm, "down", strided=strided),
        )
        self.blocks = nn.Sequential(*(ResnetBlock(below, norm) for _ in range(config.enhancer_blocks)))
        self.up = ConvLayer(below, self.channels, 3, norm, "up", strided=strided)

    def forward(self, image: Tensor, below: Tensor) -> tuple[Tensor, Tensor]:
        """Map image [N, in_channels, H, W] and maps [N, below, H / 2, W / 2] to maps of that shape, and maps
        [N, channels, H, W] of these."""
        x = self.blocks(self.down(image) + below)
        return x, self.up(x)


def halved(spec: ImageSpec, times: int) -> ImageSpec:
    """Return the spec of images of both sides halved so often."""
    return spec._replace(height=spec.height >> times, width=spec.width >> times)
