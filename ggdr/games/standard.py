"""The game of the first GAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks
from ggdr.play.view import Reals, View
from ggdr.registry import games
from ggdr.seeding import word


@games.register("standard", paper="1406.2661")
@dataclass(frozen=True, kw_only=True)
class StandardGame(Game):
    """One generator makes images from noise, one discriminator judges them (Goodfellow et al. 2014)."""

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """G, and D with a decoder for those of G's feature maps that are read.

        UserError if G takes images, or there are several domains.
        """
        if len(domains) > 1:
            raise UserError(
                f"game {self.name!r} has images of one kind, and the data has {', '.join(domains)}: take --game paired"
                " where those at one place belong together, --game unpaired where they do not."
            )
        (spec,) = domains.values()
        G = self.of_noise(generator).build(spec)
        return Networks({"g": {"generator": G}, "d": {"discriminator": discriminator.build(spec, extra)}})

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """Return the one duel of a micro-batch: the generator against the discriminator."""
        (reals,) = batch.values()
        return [Duel(networks["generator"], networks["discriminator"], *reals, context)]

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """Fakes, under the labels of the reals."""
        (domain,) = domains

        def fakes(batch: Mapping[str, Reals], seed: int) -> Tensor:
            """Images of noise, as many as there are reals, under their labels."""
            reals, labels = batch[domain]
            torch.manual_seed(word(seed))
            z = torch.randn(len(reals), networks["generator"].z_dim, device=reals.device)
            return networks["generator"](z, labels).image

        return {"fakes": View(make=fakes, target=domain, generator=networks["generator"])}
