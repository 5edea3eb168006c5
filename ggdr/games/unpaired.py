"""The game of CycleGAN: two domains, without pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks, Reals
from ggdr.play.translation import CycleDuel
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
                ("generator_ab", "discriminator_b", a, b, f"{first}_to_{second}"),
                ("generator_ba", "discriminator_a", b, a, f"{second}_to_{first}"),
            )
        )
        there.face(back)
        return [there, back]
