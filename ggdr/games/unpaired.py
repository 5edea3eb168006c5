"""The game of CycleGAN: two domains, without pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks
from ggdr.play.translation import CycleDuel
from ggdr.play.view import Reals, Translate, View, translation, translation_name
from ggdr.registry import games


@games.register("unpaired", paper="1703.10593")
@dataclass(frozen=True, kw_only=True)
class UnpairedGame(Game):
    """Two translators, there and back, and a discriminator for each of two domains (Zhu et al. 2017)."""

    provides: ClassVar = CycleDuel.provides
    duel: ClassVar[type[CycleDuel]] = CycleDuel
    """the kind of its duels"""

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """Both translators and both discriminators; UserError if there are no two domains."""
        translator = self.of_images(generator)
        a, b = self.two(domains).values()
        makers = {"generator_ab": translator.build(b, a), "generator_ba": translator.build(a, b)}
        judges = {"discriminator_a": discriminator.build(a, extra), "discriminator_b": discriminator.build(b, extra)}
        return Networks({"g": makers, "d": judges})

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """Two duels, from the first domain to the second and back, each of which knows the other."""
        (first, a), (second, b) = batch.items()
        there, back = (
            self.duel(networks[made], networks[judge], *reals, context, name=name, source=source.images)
            for made, judge, source, reals, name in (
                ("generator_ab", "discriminator_b", a, b, translation_name(first, second)),
                ("generator_ba", "discriminator_a", b, a, translation_name(second, first)),
            )
        )
        there.face(back)
        return [there, back]

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """Both translations, and what becomes of them on the way back."""
        a, b = domains
        there, back = self.translators(networks)
        return {
            translation_name(a, b): translation(a, b, there, back),
            translation_name(b, a): translation(b, a, back, there),
        }

    def translators(self, networks: Mapping[str, Any]) -> tuple[Translate, Translate]:
        """How images of the first domain become those of the second, and the other way."""
        return networks["generator_ab"].translate, networks["generator_ba"].translate
