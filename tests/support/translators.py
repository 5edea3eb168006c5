"""Translators, a discriminator that encodes, and images of two domains: as small as they can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ggdr.data.base import Batch, DataSet, Images
from ggdr.games.paired import PairedGame
from ggdr.layers.projection import with_label_planes
from ggdr.networks.base import (
    NO_EXTRA,
    DiscriminatorConfig,
    DiscriminatorOutput,
    ExtraOutputs,
    GeneratorOutput,
    ImageSpec,
    TranslatorConfig,
)
from ggdr.networks.base.module import Discriminator, Translator
from ggdr.play.view import View, translation, translation_name, way_of
from ggdr.registry import Capability, datasets, discriminators, games, generators


@generators.register("small_translator")
@dataclass(frozen=True, kw_only=True)
class SmallTranslatorConfig(TranslatorConfig):
    """Two convolutions, the maps between them doubled until they are as large as the image."""

    provides: ClassVar = frozenset({Capability.G_FEATURES, Capability.ENCODER_MAPS})

    def build(self, spec: ImageSpec, source: ImageSpec) -> SmallTranslator:
        return SmallTranslator(self, spec, source)


class SmallTranslator(Translator):
    def __init__(self, config: SmallTranslatorConfig, spec: ImageSpec, source: ImageSpec):
        super().__init__(config, spec, source)
        self.into = nn.Conv2d(source.channels + spec.labels, 8, 3, padding=1)
        self.out = nn.Conv2d(8, spec.channels, 3, padding=1)
        self.feature_channels, self.encoder_channels = {source.height: 8}, (source.channels, 8)

    def forward(self, source: Tensor, labels=None, *, z=None, resolutions=()) -> GeneratorOutput:
        maps = self.into(with_label_planes(source, labels, self.spec.labels)).relu()
        whole = F.interpolate(maps, size=(self.spec.height, self.spec.width))
        return GeneratorOutput(self.out(whole).tanh(), features={r: maps for r in resolutions})

    def encoder_maps(self, source: Tensor, labels=None) -> list[Tensor]:
        return [source, self.into(source)]


@generators.register("resting_translator")
@dataclass(frozen=True, kw_only=True)
class RestingTranslatorConfig(SmallTranslatorConfig):
    """Two convolutions, the first of which learns nothing before 0.016 kimg."""

    def build(self, spec: ImageSpec, source: ImageSpec) -> RestingTranslator:
        return RestingTranslator(self, spec, source)


class RestingTranslator(SmallTranslator):
    def resting(self, kimg: float) -> list[nn.Parameter]:
        return [*self.into.parameters()] if kimg < 0.016 else []


@discriminators.register("small_encoder")
@dataclass(frozen=True, kw_only=True)
class SmallEncoderConfig(DiscriminatorConfig):
    """One convolution that encodes, one that judges patches, and a further logit of the whole image."""

    provides: ClassVar = frozenset({Capability.ENCODE})

    def build(self, spec: ImageSpec, extra: ExtraOutputs = NO_EXTRA) -> SmallEncoder:
        return SmallEncoder(self, spec, extra)


class SmallEncoder(Discriminator):
    def __init__(self, config: SmallEncoderConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        self.encoder, self.head = nn.Conv2d(spec.channels, 6, 4, 2, 1), nn.Conv2d(6, 1, 3)
        self.code_spec = ImageSpec(spec.height // 2, spec.width // 2, 6)
        self.passes = 0

    def encode(self, image: Tensor) -> Tensor:
        self.passes += 1
        return self.encoder(image).relu()

    def forward(self, image: Tensor, labels=None, *, resolutions=()) -> DiscriminatorOutput:
        codes = self.encode(image)
        return DiscriminatorOutput(self.head(codes).flatten(1), codes=codes, more_logits=(codes.mean((1, 2, 3)),))


@datasets.register("two_noises")
@dataclass(frozen=True, kw_only=True)
class TwoNoises(DataSet):
    """Noise in one channel and noise in three, 16 px."""

    paired: bool = False
    """what lies at one place is called a pair"""
    gray: bool = True
    """the first has one channel; False: three, as the second"""

    def open(self) -> NoiseImages:
        images = NoiseImages()
        if not self.gray:
            images.domains = dict.fromkeys(images.domains, images.spec)
        images.paired = self.paired
        return images


class NoiseImages(Images):
    spec = ImageSpec(16, 16, 3)
    domains: ClassVar = {"gray": ImageSpec(16, 16, 1), "colour": spec}  # type: ignore[assignment]

    def __len__(self) -> int:
        return 64

    def at(self, positions: list[int], seed: int) -> Batch:
        return self.domain_batches(positions, seed)["colour"]

    def domain_batches(self, positions: list[int], seed: int) -> dict[str, Batch]:
        return {
            name: Batch(torch.stack([noise(spec.channels, 1000 * number + place + seed) for place in positions]))
            for number, (name, spec) in enumerate(self.domains.items())
        }


def noise(channels: int, seed: int) -> Tensor:
    draws = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (channels, 16, 16), generator=draws, dtype=torch.uint8)


@generators.register("tinted_translator")
@dataclass(frozen=True, kw_only=True)
class TintedTranslatorConfig(TranslatorConfig):
    """Half of the source and half of a colour: a code's that is drawn, or a style's; and of a class, its number."""

    drawn: bool = True
    """it draws its code where none is given"""

    def build(self, spec: ImageSpec, source: ImageSpec) -> TintedTranslator:
        return TintedTranslator(self, spec, source)


class TintedTranslator(Translator):
    size_divisor = 4

    def __init__(self, config: TintedTranslatorConfig, spec: ImageSpec, source: ImageSpec):
        super().__init__(config, spec, source)
        self.share, self.z_dim = nn.Parameter(torch.tensor(0.5)), spec.channels

    def forward(self, source: Tensor, labels=None, *, z=None, resolutions=()) -> GeneratorOutput:
        made = self.share * (source.mean(1, keepdim=True) + z[:, :, None, None].clamp(-1, 1))
        if labels is not None:
            made = made + labels.argmax(1).view(-1, 1, 1, 1) / 100
        return GeneratorOutput(made)


@games.register("tinted")
@dataclass(frozen=True, kw_only=True)
class TintedGame(PairedGame):
    """One tinted translator, whose style is the mean colour of a picture."""

    styles: bool = True
    """it takes the styles of pictures"""
    own: bool = True
    """it knows the style of the picture itself"""

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        (source, target), network = domains, networks["generator"]
        way = way_of(network)._replace(draws=network.z_dim if network.config.drawn else 0)
        if self.styles:
            way = way._replace(encode_style=mean_colour, style_spec=network.spec, needs_style=not way.draws)
        if self.own:
            way = way._replace(own_code=lambda images: mean_colour(images.expand(-1, network.z_dim, -1, -1)))
        return {translation_name(source, target): translation(source, target, way)}


def mean_colour(images: Tensor) -> Tensor:
    """The mean of each channel [N, C]."""
    return images.mean((2, 3))
