"""Duels of style transfer: content and style meet in the layers of a frozen encoder (arXiv 1703.06868)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from ggdr.lazy import Tensor
from ggdr.networks.base import GeneratorOutput
from ggdr.play.duel import output_in_float32
from ggdr.play.translation import TranslationDuel
from ggdr.registry import Capability


@dataclass
class StylisedDuel(TranslationDuel):
    """A source is made into an image of its content and the style of the real at its place; nobody judges."""

    G: Any
    layers: tuple[str, ...] = field(kw_only=True)
    """names of the encoder's layers in which styles are compared; contents are in its last"""
    provides: ClassVar = TranslationDuel.provides | {Capability.STYLISED}

    @cached_property
    def wanted_content(self) -> Tensor:
        """The content of the sources with the statistics of the styles [N, K, h, w], which is decoded."""
        with self.context.autocast():
            return self.G.stylised(self.G.encode_content(self.source), self.G.encode_style(self.real)).float()

    def generate(self, z: Tensor) -> GeneratorOutput:
        """A further pass of the decoder over the first of `wanted_content`; z [n, 0] holds nothing."""
        with self.context.autocast():
            maps, labels = self.wanted_content[: len(z)], self.labels_of(len(z))
            made = self.G.decode_maps(maps, labels, self.made_resolutions)
        return output_in_float32(made)

    @cached_property
    def fake_layers(self) -> dict[str, Tensor]:
        """The encoder's maps of the fakes, by name."""
        return self.layers_of(self.fake.image)

    @cached_property
    def style_layers(self) -> dict[str, Tensor]:
        """The encoder's maps of the styles, by name."""
        return self.layers_of(self.real)

    @property
    def found_content(self) -> Tensor:
        """The content of the fakes [N, K, h, w]."""
        return self.fake_layers[self.G.last]

    def layers_of(self, images: Tensor) -> dict[str, Tensor]:
        """Those of the encoder's maps that are compared, float32."""
        with self.context.autocast():
            maps = self.G.encoder_layers(images, {*self.layers, self.G.last})
        return {name: each.float() for name, each in maps.items()}
