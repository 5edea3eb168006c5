"""Duels of translators of which one takes a code, which an encoder finds again (arXiv 1802.10151)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from ggdr.lazy import Tensor, torch
from ggdr.networks.base import GeneratorOutput
from ggdr.play.translation import CycleDuel
from ggdr.registry import Capability

if TYPE_CHECKING:
    from ggdr.networks.base.module import Encoder


@dataclass
class CodedDuel(CycleDuel):
    """One of two translations, of which the way there takes a code, and an encoder reads an image of each domain."""

    encoder: Encoder = field(kw_only=True)
    """a pair of images, their channels one after the other, the first domain's first, to a code"""
    # what is of the second domain already would stay as it is under one code alone, not under a drawn one
    provides: ClassVar = CycleDuel.provides - {Capability.IDENTITY}

    def encode(self, a: Tensor, b: Tensor) -> Tensor:
        """The code [N, K] of images of the first domain [N, Ca, H, W] and of the second [N, Cb, H, W]."""
        with self.context.autocast():
            return self.encoder(torch.cat([a, b], dim=1)).sample().float()


@dataclass
class AugmentedDuel(CodedDuel):
    """The way there: what is made of a source and a drawn code is to show both."""

    provides: ClassVar = CodedDuel.provides | {Capability.FOUND_STYLE}

    @cached_property
    def found_style(self) -> Tensor:
        """The code [N, K] that is found in what was made of each source; `z` is the one that it was made with."""
        return self.encode(self.source, self.fake.image)


@dataclass
class AugmentedBackDuel(CodedDuel):
    """The way back takes no code: what it leaves out, the encoder finds, and the cycle ends where it began by that."""

    @cached_property
    def made(self) -> GeneratorOutput:
        """The fakes of these sources, also where D is shown older ones in their place."""
        return self.generate(self.z)

    @cached_property
    def fake(self) -> GeneratorOutput:
        return self.detached(self.made)

    @cached_property
    def code(self) -> Tensor:
        """The code [N, K] that is found in each source and what was made of it."""
        return self.encode(self.made.image, self.source)

    @cached_property
    def cycled(self) -> Tensor:
        return self.opposite.translate(self.made.image, self.code).image
