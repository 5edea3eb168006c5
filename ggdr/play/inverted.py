"""Duels of an encoder and a frozen generator: the codes of images, those that it made and those that are real."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from ggdr.lazy import Tensor, torch
from ggdr.networks.base import GeneratorOutput
from ggdr.play.decoded import Encoded
from ggdr.play.duel import Duel
from ggdr.play.view import Reals, View
from ggdr.registry import Capability
from ggdr.seeding import word

if TYPE_CHECKING:
    from ggdr.networks.base.module import Generator


@dataclass
class InvertedDuel(Duel):
    """An encoder, and what a frozen generator makes of the codes that it finds; nobody judges that."""

    G: Any
    """the encoder, whose weights learn on its turn"""
    encoded: Encoded = field(kw_only=True)
    """what the encoder says of the images, which `reals` are"""
    frozen: Generator = field(kw_only=True)
    """the generator, of which nothing learns"""
    provides: ClassVar = frozenset({Capability.DECODED, Capability.TRUTH})

    @cached_property
    def fake(self) -> GeneratorOutput:
        """The images again [N, C, H, W], of their codes."""
        with self.context.autocast():
            made = image_of(self.frozen, self.encoded.codes, self.encoded.encoder.config.space, self.labels)
        return GeneratorOutput(made.float())

    @property
    def truth(self) -> Tensor:
        """The images themselves [N, C, H, W]."""
        return self.reals


@dataclass
class RegressedDuel(InvertedDuel):
    """An encoder beside the codes that images were made of, by the same generator, whose codes are known therefore."""

    known: Tensor = field(kw_only=True)
    """[N, K], the codes that the images were made of"""
    provides: ClassVar = InvertedDuel.provides | {Capability.FOUND_STYLE}

    @property
    def z(self) -> Tensor:
        """The codes that the images were made of [N, K]."""
        return self.known

    @property
    def found_style(self) -> Tensor:
        """The codes that the encoder finds in them [N, K]."""
        return self.encoded.codes


def inversion(encoder: Any, generator: Generator, domain: str) -> View:
    """The view of an encoder beside a frozen generator: each image of a domain, made again of the mean of its code."""

    def make(batch: Mapping[str, Reals], seed: int) -> Tensor:
        """Images made again, under their labels."""
        torch.manual_seed(word(seed))
        images, labels = batch[domain]
        codes = encoder.codes(encoder(images), draw=False)
        return image_of(generator, codes, encoder.config.space, labels if generator.spec.labels else None)

    return View(make=make, target=domain, source=domain, paired=True)


def draw(
    generator: Generator, space: str, n: int, labels: Tensor | None, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Draw n images [n, C, H, W] of a generator by torch's random state, and their codes [n, K] in a space."""
    with torch.no_grad():
        z = torch.randn(n, generator.z_dim, device=device)
        made = generator(z, labels)
    if made.ws is None or space == "z":
        return made.image.float(), z
    return made.image.float(), (made.ws[:, 0] if space == "w" else made.ws.flatten(1)).float()


def image_of(generator: Generator, codes: Tensor, space: str, labels: Tensor | None) -> Tensor:
    """Return the images [N, C, H, W] of codes [N, K] in a space, with the noise that the generator keeps, if any.

    `labels` [N, L]: of latent codes; styles have theirs within.
    """
    if space == "z":
        return generator(codes, labels).image
    return generator.synthesize(styles_of(codes, space, generator))


def styles_of(codes: Tensor, space: str, generator: Generator) -> Tensor:
    """Return the style codes [N, L, W] that codes [N, W] of space "w", or [N, L * W] of "w+", stand for."""
    if space == "w+":
        return codes.unflatten(1, (-1, generator.w_dim))
    return codes[:, None].expand(-1, generator.num_style_codes(), -1)
