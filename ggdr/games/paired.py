"""The game of pix2pix: a translator learns from pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ggdr.errors import UserError
from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks
from ggdr.play.translation import PairedDuel
from ggdr.play.view import Reals, View, translation, translation_name, way_of
from ggdr.registry import games


@games.register("paired", paper="1611.07004")
@dataclass(frozen=True, kw_only=True)
class PairedGame(Game):
    """Pairs: a translator makes the target of each source, D judges it beside the source (pix2pix, Isola et al. 2017).

    The data gives pairs: what lies at the same place of its two domains belongs together. With `--discriminator none`
    and `--loss none` nobody judges, and regularizers that read the truth, such as `l1`, train the translator.
    """

    conditional: bool = True
    """D sees the source beside the image; False: the image alone, as for super-resolution"""
    turns: ClassVar = ("d", "g")
    judges: ClassVar = "either"
    pairs: ClassVar = True
    provides: ClassVar = PairedDuel.provides

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """The translator, and a D, if there is one, that sees as many channels as it is to.

        UserError if there are no two domains.
        """
        translator = self.of_images(generator)
        source, target = self.two(domains).values()
        networks = Networks({"g": {"generator": translator.build(target, source)}})
        if discriminator.judges:
            judge = discriminator.build(self.seen(source, target), extra)
            networks.learning["d"] = {"discriminator": judge}
        return networks

    def seen(self, source: ImageSpec, target: ImageSpec) -> ImageSpec:
        """What D sees; UserError if it is to see two images of unlike sizes at once."""
        if self.conditional and source[:2] != target[:2]:
            raise UserError(
                f"game {self.name!r} shows D the source beside the target, and they are {source.height} x"
                f" {source.width} and {target.height} x {target.width} px: give them one size, or let D see the target"
                " alone, --game.no-conditional."
            )
        return target._replace(channels=source.channels + target.channels, classes=0) if self.conditional else target

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """Return the one duel of a micro-batch: what the generator makes of the sources, against their targets."""
        source, target = batch.values()
        return [
            PairedDuel(
                networks["generator"],
                networks.judge("discriminator"),
                *target,
                context,
                source=source.images,
                conditional=self.conditional,
            )
        ]

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """The translation of the sources, whose truth is known."""
        source, target = domains
        way = way_of(networks["generator"])
        return {translation_name(source, target): translation(source, target, way)}
