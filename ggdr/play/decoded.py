"""Duels of an autoencoder: what a decoder makes of the codes that an encoder finds (arXiv 1511.05644)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from ggdr.lazy import Tensor, torch
from ggdr.networks.base import Code, GeneratorOutput
from ggdr.play.duel import Duel, output_in_float32
from ggdr.play.view import Reals, View
from ggdr.registry import Capability
from ggdr.seeding import word

if TYPE_CHECKING:
    from ggdr.networks.base.module import Encoder
    from ggdr.play.duel import StepContext


@dataclass
class Encoded:
    """What an encoder says of the images of a micro-batch, found when it is first read; several duels share it."""

    encoder: Encoder
    images: Tensor
    """[N, C, H, W] in [-1, 1]"""
    context: StepContext

    @cached_property
    def said(self) -> Code:
        """Mean and log variance [N, K], float32."""
        with self.context.autocast():
            mean, log_variance = self.encoder(self.images)
        return Code(mean.float(), None if log_variance is None else log_variance.float())

    @cached_property
    def codes(self) -> Tensor:
        """Codes [N, K], drawn where the encoder has a variance."""
        return self.encoder.codes(self.said)


@dataclass
class DecodedDuel(Duel):
    """A decoder, which makes each real again of its code; nobody judges what it makes."""

    encoded: Encoded = field(kw_only=True)
    """what the encoder says of the reals"""
    provides: ClassVar = frozenset({Capability.DECODED})

    @cached_property
    def fake(self) -> GeneratorOutput:
        """The reals again [N, C, H, W]."""
        with self.context.autocast():
            made = self.G.decode(self.encoded.codes, self.labels, resolutions=self.made_resolutions)
        return output_in_float32(made)


@dataclass
class ClassifiedDuel(Duel):
    """An encoder, which tells the classes of images that have labels; nobody judges."""

    encoded: Encoded = field(kw_only=True)
    """what the encoder says of the images"""
    provides: ClassVar = frozenset({Capability.CLASSIFIED})

    @cached_property
    def class_logits(self) -> Tensor:
        """The odds of classes [N, K], the first numbers of codes."""
        return self.encoded.said.mean[:, : len(self.encoded.encoder.config.class_names)]


def reconstruction(encoder: Any, generator: Any, domain: str) -> View:
    """The view of an autoencoder: each image of a domain, made again of the mean of its codes."""

    def make(batch: Mapping[str, Reals], seed: int) -> Tensor:
        """Images made again, under their labels."""
        torch.manual_seed(word(seed))
        images, labels = batch[domain]
        return generator.decode(encoder.codes(encoder(images), draw=False), labels).image

    return View(make=make, target=domain, source=domain, paired=True)
