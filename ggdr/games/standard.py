"""The game of the first GAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ggdr.errors import UserError
from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks
from ggdr.play.term import Turn
from ggdr.play.view import Reals, View, of_noise
from ggdr.registry import Capability, games


@games.register("standard", paper="1406.2661")
@dataclass(frozen=True, kw_only=True)
class StandardGame(Game):
    """One generator makes images from noise, one discriminator judges them (Goodfellow et al. 2014).

    The data may have pairs of a label map and an image: the map is shown to no network, and terms may ask D for it.
    """

    provides: ClassVar = Duel.provides | {Capability.LABEL_MAP}

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """G, and D with a decoder for those of G's feature maps that are read.

        UserError if G takes images, or there are several domains that are not a label map and the images it is of.
        """
        *others, spec = domains.values()
        if len(others) > 1 or any(not other.classes or other[:2] != spec[:2] for other in others):
            raise UserError(
                f"game {self.name!r} has images of one kind, beside which label maps of their size may lie, and the"
                f" data has {', '.join(domains)}: take --game paired where those at one place belong together, --game"
                " unpaired where they do not."
            )
        G = self.of_noise(generator).build(spec)
        learning: dict[Turn, dict[str, Any]] = {"g": {"generator": G}}
        learning["d"] = {"discriminator": discriminator.build(spec, extra)}
        return Networks(learning, label_classes=others[0].classes if others else 0)

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """Return the one duel of a micro-batch: the generator against the discriminator."""
        domains = [*batch.values()]
        label_map = self.label_map(networks, domains[0])
        return [Duel(networks["generator"], networks["discriminator"], *domains[-1], context, label_map=label_map)]

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """Fakes, under the labels of the reals."""
        *_, domain = domains
        return {"fakes": of_noise(networks["generator"], domain)}
