"""The game of NICE-GAN: the discriminators' encoders are the generators' too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ggdr.games.unpaired import UnpairedGame
from ggdr.lazy import Tensor
from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.game import Networks
from ggdr.play.translation import SharedEncoderDuel
from ggdr.play.view import Way
from ggdr.registry import Capability, games

if TYPE_CHECKING:
    from ggdr.networks.base.module import Discriminator, Translator


@games.register("shared_encoder", paper="2003.00273")
@dataclass(frozen=True, kw_only=True)
class SharedEncoderGame(UnpairedGame):
    """Two domains without pairs, whose discriminators encode what translators decode (NICE-GAN, Chen et al. 2020).

    Encoders learn on D's turn alone, by judging; generators learn to decode what they say (Chen et al. 2020, sec. 3.2).
    All four networks are the model: an image is translated by the encoder of its domain and the generator of the other.
    """

    pool: int = 0
    """fakes of each domain that are kept, of which D is shown one instead of a new one every other time; 0: none"""
    first: Literal["g", "d"] = "d"
    """whose turn comes first in a step: d, so that D sees the fakes that generators make before their update"""
    requires: ClassVar = frozenset({Capability.ENCODE})
    provides: ClassVar = SharedEncoderDuel.provides
    duel: ClassVar = SharedEncoderDuel

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """Both discriminators, and generators for their codes; UserError if D encodes nothing."""
        translator = self.of_images(generator)
        self.check_provides(discriminator, "makes images of what D's encoder says")
        a, b = self.two(domains).values()
        judges = {"discriminator_a": discriminator.build(a, extra), "discriminator_b": discriminator.build(b, extra)}
        makers = {
            "generator_ab": translator.build(b, judges["discriminator_a"].code_spec),
            "generator_ba": translator.build(a, judges["discriminator_b"].code_spec),
        }
        return Networks({"d": judges, "g": makers}, model=(*makers, *judges))

    def translators(self, networks: Mapping[str, Any]) -> tuple[Way, Way]:
        """How images of the first domain become those of the second, by its encoder, and the other way."""
        return (
            encoded(networks["discriminator_a"], networks["generator_ab"]),
            encoded(networks["discriminator_b"], networks["generator_ba"]),
        )


def encoded(encoder: Discriminator, generator: Translator) -> Way:
    """How images become others by the codes of an encoder."""

    def translate(images: Tensor, labels: Tensor | None, code: Tensor | None) -> Tensor:
        """Encode, then make images of what was encoded."""
        return generator.translate(encoder.encode(images), labels, code)

    # images are as much larger than their codes as the encoder says
    divisor = encoder.size_divisor * generator.size_divisor
    return Way(translate, encoder.spec, generator.spec, divisor, draws=generator.z_dim)
