"""The base of translators of super-resolution: layers at the size of the source, then doublings."""

from __future__ import annotations

from torch import Tensor, nn

from ggdr.layers.projection import with_label_planes
from ggdr.networks.base import GeneratorOutput, ImageSpec, TranslatorConfig
from ggdr.networks.base.module import Translator
from ggdr.networks.size import doublings_between
from ggdr.ops.layout import channels_last


class EnlargingTranslator(Translator):
    """Maps images of any size to larger ones. A subclass sets the modules below, and writes `enter`."""

    up: nn.ModuleList
    """`doublings` layers, each of which doubles the maps"""
    toimage: nn.Module
    """from the last maps to images"""

    def __init__(self, config: TranslatorConfig, spec: ImageSpec, source: ImageSpec, channels: int):
        """Find out how often maps are doubled; `channels`: of all of them. UserError if none makes that size."""
        super().__init__(config, spec, source)
        size = (source.height, source.width)
        self.doublings = doublings_between(size, (spec.height, spec.width), config.name)
        self.size_divisor = 1
        self.feature_channels = {source.height << level: channels for level in range(self.doublings + 1)}

    def enter(self, shown: Tensor) -> Tensor:
        """Return the maps [N, channels, Hs, Ws] of images [N, Cs, Hs, Ws], labels among Cs."""
        raise NotImplementedError

    def forward(
        self,
        source: Tensor,
        labels: Tensor | None = None,
        *,
        z: Tensor | None = None,
        resolutions: tuple[int, ...] = (),
    ) -> GeneratorOutput:
        """Map source [N, Cs, Hs, Ws] in [-1, 1] and labels [N, L] to images [N, C, H, W], and the maps of
        `resolutions`: those before the doublings, and of each. Images are clipped to [-1, 1] in evaluation alone."""
        self.check_resolutions(resolutions)
        maps = [self.enter(channels_last(with_label_planes(source, labels, self.spec.labels)))]
        for layer in self.up:
            maps.append(layer(maps[-1]))
        features = {r: x.float() for r, x in zip(self.feature_channels, maps, strict=True) if r in resolutions}
        image = self.toimage(maps[-1]).float()
        return GeneratorOutput(image if self.training else image.clamp(-1, 1), features=features)
