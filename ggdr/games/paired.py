"""The game of pix2pix: a translator learns from pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from ggdr.errors import UserError
from ggdr.networks.base import (
    DiscriminatorConfig,
    EncoderConfig,
    ExtraOutputs,
    GeneratorConfig,
    ImageSpec,
    TranslatorConfig,
)
from ggdr.networks.none import NoEncoderConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.encoded import EncodedPairedDuel
from ggdr.play.game import Game, Networks
from ggdr.play.translation import PairedDuel
from ggdr.play.view import Reals, View, translation, translation_name, way_of
from ggdr.registry import Capability, games

if TYPE_CHECKING:
    from ggdr.networks.base.module import Encoder, Translator
    from ggdr.recipe import Recipe


@games.register("paired", paper="1611.07004")
@dataclass(frozen=True, kw_only=True)
class PairedGame(Game):
    """Pairs: a translator makes the target of each source, D judges it beside the source (pix2pix, Isola et al. 2017).

    The data gives pairs: what lies at the same place of its two domains belongs together. With `--discriminator none`
    and `--loss none` nobody judges, and regularizers that read the truth, such as `l1`, train the translator.
    """

    conditional: bool = True
    """D sees the source beside the image; False: the image alone, as for super-resolution"""
    encoder: EncoderConfig = field(default_factory=NoEncoderConfig)
    """finds the generator's code in the target, so that `ggdr translate --style` may take that of any image (SPADE's
    image encoder); it is as wide as the generator's `z_dim`. none: codes are drawn"""
    turns: ClassVar = ("d", "g")
    judges: ClassVar = "either"
    pairs: ClassVar = True
    provides: ClassVar = EncodedPairedDuel.provides | {Capability.LABEL_MAP}

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if D is asked for classes of pixels that it is shown."""
        asking = [term for term in recipe.terms().values() if Capability.CLASS_LOGITS in term.requires]
        if self.conditional and asking:
            raise UserError(
                f"{asking[0].registry.kind} {asking[0].name!r} asks D for the class of each pixel, and game"
                f" {self.name!r} shows D the label map beside the image: let it see the image alone,"
                " --game.no-conditional."
            )

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """The translator, an encoder and a D, as far as there are such; D sees as many channels as it is to.

        UserError if there are no two domains, or an encoder whose code nothing takes.
        """
        translator = self.of_images(generator)
        source, target = self.two(domains).values()
        makers: dict[str, Any] = {"generator": translator.build(target, source)}
        if self.encoder.encodes:
            makers["encoder"] = self.encoder_for(makers["generator"])
        networks = Networks({"g": makers}, label_classes=source.classes)
        if discriminator.judges:
            judge = discriminator.build(self.seen(source, target), extra)
            networks.learning["d"] = {"discriminator": judge}
        return networks

    def encoder_for(self, generator: Translator) -> Encoder:
        """The encoder of codes for a generator; UserError if that takes none."""
        if not generator.z_dim:
            raise UserError(
                f"game {self.name!r} has an encoder, and generator {generator.config.name!r} takes no code for it to"
                " find: take one that does, such as --generator spade, or --game.encoder none."
            )
        return replace(self.encoder, code_dim=generator.z_dim).build(generator.spec.unlabelled())

    def check_networks(self, networks: Networks, requires: frozenset[Capability]) -> None:
        super().check_networks(networks, requires)
        if Capability.POSTERIOR in requires and not self.encoder.encodes:
            raise UserError(
                f"a term reads what an encoder says of images, as `kl` does, and game {self.name!r} has none: take"
                " --game.encoder conv --game.encoder.stochastic, or drop the term."
            )

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
        G, D, label_map = networks["generator"], networks.judge("discriminator"), self.label_map(networks, source)
        shared: dict[str, Any] = {"source": source.images, "label_map": label_map, "conditional": self.conditional}
        if self.encoder.encodes:
            return [EncodedPairedDuel(G, D, *target, context, **shared, encoder=networks["encoder"])]
        return [PairedDuel(G, D, *target, context, **shared)]

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """The translation of the sources, whose truth is known."""
        source, target = domains
        way = way_of(networks["generator"])
        if self.encoder.encodes:
            encoder = networks["encoder"]
            way = way._replace(encode_style=lambda images: encoder(images).mean, style_spec=encoder.spec)
        return {translation_name(source, target): translation(source, target, way)}
