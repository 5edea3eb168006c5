"""Duels of content and style: the content of a source under a style that is drawn (MUNIT, arXiv 1804.04732)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from ggdr.lazy import Tensor
from ggdr.networks.base import GeneratorOutput
from ggdr.play.duel import output_in_float32
from ggdr.play.translation import CycleDuel
from ggdr.registry import Capability


@dataclass
class MultimodalDuel(CycleDuel):
    """A translation of content: each generator is the autoencoder of its domain, so the opposite's encodes the source.

    G decodes that content under a style z ~ N(0, 1), then finds both codes in the fake (Huang et al. 2018, fig. 2).
    """

    provides: ClassVar = CycleDuel.provides | {Capability.FOUND_CONTENT, Capability.FOUND_STYLE}

    def generate(self, z: Tensor) -> GeneratorOutput:
        """A further pass of the decoder: the content of the first sources under styles z [n, z_dim]."""
        return self.decode(self.content[: len(z)], z)

    def decode(self, content: Tensor, z: Tensor) -> GeneratorOutput:
        """Images of content [n, K, h, w] and styles z [n, z_dim], with the feature maps that the phase's terms read."""
        with self.context.autocast():
            made = self.G.decode(content, z, self.labels_of(len(z)), resolutions=self.made_resolutions)
        return output_in_float32(made)

    @cached_property
    def content(self) -> Tensor:
        """What the sources hold, whatever their style [N, K, h, w]: their own domain's generator says."""
        with self.context.autocast():
            return self.opposite.G.encode_content(self.source).float()

    @cached_property
    def found_content(self) -> Tensor:
        """The content of the fakes, as G finds it [N, K, h, w]."""
        with self.context.autocast():
            return self.G.encode_content(self.fake.image).float()

    @cached_property
    def found_style(self) -> Tensor:
        """The styles of the fakes, as G finds them [N, z_dim]."""
        with self.context.autocast():
            return self.G.encode_style(self.fake.image).float()

    @cached_property
    def style(self) -> Tensor:
        """The styles of the reals [N, z_dim]."""
        with self.context.autocast():
            return self.G.encode_style(self.real).float()

    @cached_property
    def cycled(self) -> Tensor:
        """The sources again, of the content of their fakes and the style they have (sec. 5.1, style-augmented)."""
        return self.opposite.decode(self.found_content, self.opposite.style).image

    @cached_property
    def on_target(self) -> GeneratorOutput:
        """The reals again, of the content and the style they have."""
        return self.decode(self.opposite.content, self.style)
