"""Duels of translators: the fake is made of an image of another domain."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.lazy import Tensor, torch
from ggdr.networks.base import DiscriminatorOutput, GeneratorOutput
from ggdr.play.duel import Augmented, Duel, laid_beside, output_in_float32, taken_apart
from ggdr.play.pool import ImagePool
from ggdr.registry import Capability

if TYPE_CHECKING:
    from ggdr.networks.base.module import Translator


@dataclass
class TranslationDuel(Duel):
    """A translator against a discriminator: it makes of each source an image of the domain of the reals."""

    G: Translator  # type: ignore[assignment]
    source: Tensor = field(kw_only=True)
    """[N, Cs, Hs, Ws], what the translator is shown: images in [-1, 1], or label maps one-hot"""
    provides: ClassVar = Duel.provides | {Capability.SOURCE}

    def generate(self, z: Tensor) -> GeneratorOutput:
        """A further pass of G: what it makes of the first sources, with latent codes z [n, z_dim] if it takes any."""
        return self.translate(self.source[: len(z)], z)

    @cached_property
    def on_target(self) -> GeneratorOutput:
        """What G makes of the reals, which are of its domain already."""
        return self.translate(self.shown_real)

    @property
    def shown_real(self) -> Tensor:
        """What a generator is shown of the reals."""
        return self.real

    def translate(self, shown: Tensor, z: Tensor | None = None, labels: Tensor | None = None) -> GeneratorOutput:
        """A further pass of G over what it is `shown`, with the feature maps that the phase's terms read.

        `labels` [N, L]: of what is to be made; None: those of the reals.
        """
        z = self.codes(len(shown)) if z is None else z
        z = z if self.G.z_dim else None
        labels = self.labels_of(len(shown)) if labels is None else labels
        with self.context.autocast():
            made = self.G(shown, labels, z=z, resolutions=self.made_resolutions)
        return output_in_float32(made)


@dataclass
class PairedDuel(TranslationDuel):
    """A translation whose truth is known: the reals are what the sources are to become."""

    conditional: bool = field(default=True, kw_only=True)
    """D sees the source beside the image: their channels one after the other, the source's first"""
    provides: ClassVar = TranslationDuel.provides | {Capability.TRUTH}

    @property
    def truth(self) -> Tensor:
        """What each source is to become [N, C, H, W]."""
        return self.reals

    @property
    def fake_label_map(self) -> Tensor | None:
        """That of the reals: both belong to the same source."""
        return self.label_map

    def augmented(self, image: Tensor, maps: dict[int, Tensor]) -> Augmented:
        """What D sees: the source moves as the image does, and keeps its colours."""
        if not self.conditional:
            return super().augmented(image, maps)
        source = self.source[: len(image)]
        seen = super().augmented(image, laid_beside(maps, source))
        moved, source = taken_apart(seen.maps, maps, source)
        return Augmented(torch.cat([source, seen.image], 1), moved, seen.timestep)


@dataclass
class CycleDuel(TranslationDuel):
    """A translation beside its opposite: what was made becomes the source again, by the opposite's generator."""

    pool: ImagePool | None = field(default=None, kw_only=True)
    """older fakes, some of which D is shown on its turn instead of those of the step; None: it is shown these"""
    opposite: Self = field(init=False, repr=False, compare=False)
    """the duel whose generator leads back, once they `face` each other"""
    provides: ClassVar = TranslationDuel.provides | {Capability.CYCLE, Capability.IDENTITY}

    def face(self, opposite: Self) -> None:
        """Know the duel whose generator leads back, and be known by it."""
        self.opposite, opposite.opposite = opposite, self

    def detached(self, output: GeneratorOutput) -> GeneratorOutput:
        """What D may learn from: on its turn some fakes are those of earlier steps, if there is a pool."""
        if self.turn == "d" and self.pool is not None:
            shown = self.pool.show(self.name, output.image.detach(), keep=self.context.main, labels=self.labels)
            output = output._replace(image=shown)
        return super().detached(output)

    @cached_property
    def cycled(self) -> Tensor:
        """The sources again, there and back [N, Cs, Hs, Ws]."""
        return self.opposite.translate(self.shown_fake).image

    @property
    def shown_fake(self) -> Tensor:
        """What a generator is shown of the fakes."""
        return self.fake.image


@dataclass
class SharedEncoderDuel(CycleDuel):
    """A translation of codes: each discriminator encodes the images of its domain, and generators are shown the codes.

    Where images are judged as they are, the pass that judges them gives their codes too.
    """

    def generate(self, z: Tensor) -> GeneratorOutput:
        # each D sees its reals before fakes, as published: spectral norms may iterate in each pass
        _, codes = self.shown_real, self.opposite.shown_real
        return self.translate(codes[: len(z)], z)

    @cached_property
    def shown_real(self) -> Tensor:
        return self.encode(self.real) if self.augments else self.codes_in(self.on_real)

    @cached_property
    def shown_fake(self) -> Tensor:
        return self.encode(self.fake.image) if self.augments else self.codes_in(self.on_fake)

    @property
    def augments(self) -> bool:
        """Whether D sees other images than were made."""
        return self.context.augment is not None and self.context.augment.acts

    def encode(self, image: Tensor) -> Tensor:
        """A further pass of D's encoder."""
        with self.context.autocast():
            return self.D.encode(image).float()

    def codes_in(self, judged: DiscriminatorOutput) -> Tensor:
        """The codes of what has been judged."""
        if judged.codes is None:
            raise RuntimeError(f"discriminator {self.D.config.name!r} provides ENCODE and gave no codes.")
        return judged.codes
