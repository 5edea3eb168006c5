"""The game of AdaIN: content of one domain in styles of another, and nobody judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ggdr.errors import UserError, at, setting
from ggdr.features.base import Extractor
from ggdr.features.vgg19 import VGG19
from ggdr.lazy import torch
from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks
from ggdr.play.stylised import StylisedDuel
from ggdr.play.view import Reals, View, translation, translation_name, way_in_style
from ggdr.registry import Capability, games


@games.register("stylised", paper="1703.06868")
@dataclass(frozen=True, kw_only=True)
class StylisedGame(Game):
    """Images of the first domain in styles of the second, any of them, by AdaIN (Huang & Belongie 2017); nobody judges.

    A frozen encoder says what content and style are, and a decoder learns to make images of them by regularizers
    `content` and `style`. `--discriminator none --loss none`. The encoder is saved with the model.
    """

    extractor: Extractor = VGG19()
    """whose layers the encoder has: vgg19 as in the paper, or another one that provides `layers`"""
    layers: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
    """layers in which styles are compared; the encoder ends with the last, which says what content is"""
    turns: ClassVar = ("g",)
    judges: ClassVar = "never"
    provides: ClassVar = StylisedDuel.provides
    requires: ClassVar = frozenset({Capability.FROZEN_ENCODER})

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """The translator, whose encoder has the extractor's layers and weights; UserError if they do not fit."""
        settings: Any = self.of_images(generator)
        self.check_provides(settings, "puts a frozen encoder into the generator")
        content, style = self.two(domains).values()
        translator = settings.encoded_by(self.stack()).build(style, content)
        if translator.device.type != "meta":  # where it is only seen whether parts fit, no weights are needed
            with at("game.extractor"):
                encoder = self.extractor.load_layers(torch.device("cpu")).stack
            translator.encoder.take(encoder.layers.state_dict())
        return Networks({"g": {"generator": translator}})

    def stack(self) -> Any:
        """The encoder's layers; UserError if the extractor names none, or not these."""
        with at("game"):
            self.extractor.check_provides(Capability.LAYERS)
        if not self.layers:
            raise UserError(f"{setting('game.layers')} are none; give such as relu1_1 relu2_1 relu3_1 relu4_1.")
        stack = self.extractor.stack()
        stack.check(self.layers)
        return stack.until(self.layers[-1])

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """Return the one duel of a micro-batch: each content in the style at its place."""
        content, style = batch.values()
        generator, nobody = networks["generator"], networks.judge("discriminator")
        return [StylisedDuel(generator, nobody, *style, context, source=content.images, layers=self.layers)]

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """The contents in styles; a style has to be given, and none of it is the content's own."""
        content, style = domains
        way = way_in_style(networks["generator"])
        return {translation_name(content, style): translation(content, style, way)}
