"""The game of CUT: two domains without pairs, and a translator one way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ggdr.errors import UserError
from ggdr.networks.base import (
    DiscriminatorConfig,
    ExtraOutputs,
    GeneratorConfig,
    ImageSpec,
    ProjectorConfig,
    TranslatorConfig,
)
from ggdr.networks.patch_projector import PatchProjectorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks
from ggdr.play.one_way import OneWayDuel
from ggdr.play.view import Reals, View, translation, translation_name, way_of
from ggdr.registry import Capability, games


@games.register("one_way", paper="2007.15651")
@dataclass(frozen=True, kw_only=True)
class OneWayGame(Game):
    """Two domains without pairs: one translator, whose encoder compares places of images (CUT, Park et al. 2020).

    There is no way back: what the encoder says of a place of the image made is to resemble what it says of the same
    place of the source, by regularizer `nce`. The projector learns beside the generator, and is in no model.
    """

    flip_equivariance: bool = False
    """the generator is shown half of the sources mirrored, and maps are mirrored back before they are compared, as in
    FastCUT"""
    projector: ProjectorConfig = PatchProjectorConfig()
    """what makes codes of the encoder's features; its widths are those of the encoder's maps"""
    turns: ClassVar = ("d", "g")
    requires: ClassVar = frozenset({Capability.ENCODER_MAPS})
    provides: ClassVar = OneWayDuel.provides

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """The translator, its judge and the projector; UserError if images cannot be compared with their sources."""
        settings = self.of_images(generator)
        self.check_provides(settings, "compares places of the image in maps of G's encoder")
        source, target = self.two(domains).values()
        if source[:3] != target[:3]:
            raise UserError(
                f"game {self.name!r} shows G's encoder the source and what was made of it, and they have"
                f" {source.channels} and {target.channels} channels, {source.height} x {source.width} and"
                f" {target.height} x {target.width} px: give both domains one number, such as --data.channels 3, and"
                " one size; or take --game unpaired."
            )
        translator = settings.build(target, source)
        projector = replace(self.projector, widths=translator.encoder_channels)
        makers = {"generator": translator, "projector": projector.build(source)}
        return Networks({"d": {"discriminator": discriminator.build(target, extra)}, "g": makers}, model=("generator",))

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """Return the one duel of a micro-batch: what the generator makes of the sources, against the other domain."""
        source, target = batch.values()
        return [
            OneWayDuel(
                networks["generator"],
                networks["discriminator"],
                *target,
                context,
                source=source.images,
                projector=networks["projector"],
                mirrors=self.flip_equivariance,
            )
        ]

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """The translation of the first domain to the second."""
        source, target = domains
        return {translation_name(source, target): translation(source, target, way_of(networks["generator"]))}
