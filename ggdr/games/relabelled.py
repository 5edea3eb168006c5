"""The game of StarGAN: one translator between the labels of one domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ggdr.errors import UserError
from ggdr.lazy import F, Tensor, torch
from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks
from ggdr.play.relabelled import RelabelledDuel
from ggdr.play.translation import TranslationDuel
from ggdr.play.view import Reals, View, way_of
from ggdr.registry import games
from ggdr.seeding import word

MOST_COLUMNS = 10
"""classes or attributes for which a grid has a column each"""


@games.register("relabelled", paper="1711.09020")
@dataclass(frozen=True, kw_only=True)
class RelabelledGame(Game):
    """Labels are the domains: one translator makes images of any label into those of another (StarGAN, Choi 2018).

    Sources are the reals of a micro-batch, moved on by one, and are made into the labels of the reals that they meet.
    """

    least: ClassVar = 2
    provides: ClassVar = RelabelledDuel.provides
    duel: ClassVar[type[TranslationDuel]] = RelabelledDuel
    """the kind of its duel"""

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """The translator and D; UserError if the data has several domains, or no labels."""
        translator, spec = self.of_images(generator), self.labelled(domains)
        return Networks(
            {
                "g": {"generator": translator.build(self.made(spec), spec.unlabelled())},
                "d": {"discriminator": discriminator.build(spec, extra)},
            }
        )

    def made(self, spec: ImageSpec) -> ImageSpec:
        """What the translator makes of the data's images: such images, of the label that it is told."""
        return spec

    def labelled(self, domains: Mapping[str, ImageSpec]) -> ImageSpec:
        """The images of the only domain; UserError if there are several, or they have no labels."""
        if len(domains) > 1:
            raise UserError(
                f"game {self.name!r} is played between the labels of one set of images, and the data has"
                f" {', '.join(domains)}: take --data images with --data.labels, or --game unpaired."
            )
        (spec,) = domains.values()
        if not spec.labels:
            raise UserError(
                f"game {self.name!r} makes images of one label into those of another, and the data has no labels: give"
                " some, such as --data.labels folders."
            )
        return spec

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """Return the one duel of a micro-batch: each real, made into what the next one is, against that."""
        (reals,) = batch.values()
        G, D = networks["generator"], networks["discriminator"]
        return [self.duel(G, D, *reals, context, source=reals.images.roll(1, 0))]

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """Images under the labels of the next, or under each label in turn."""
        (domain,) = domains
        way = way_of(networks["generator"])

        def make(batch: Mapping[str, Reals], seed: int) -> Tensor:
            """Each image under the labels of the next: so labels of what is made are distributed as the data's."""
            images, labels = batch[domain]
            torch.manual_seed(word(seed))
            return way.translate(images, None if labels is None else labels.roll(-1, 0), None)

        return {self.name: LabelsView(make=make, target=domain, source=domain, way=way, least=self.least)}


@dataclass(frozen=True, kw_only=True)
class LabelsView(View):
    """Images under other labels, of which a grid has a column each where they are few."""

    def columns(self, batch: Mapping[str, Reals], seed: int) -> dict[str, Tensor]:
        """The input, and it as each class, or with each attribute turned round; where there are many: one output."""
        assert self.source is not None and self.way is not None
        images, labels = batch[self.source]
        asked = choices(self.way.makes, labels) if labels is not None else {}
        if not asked:
            return super().columns(batch, seed)
        torch.manual_seed(word(seed))
        return {"input": images} | {name: self.way.translate(images, wanted, None) for name, wanted in asked.items()}


def choices(spec: ImageSpec, labels: Tensor) -> dict[str, Tensor]:
    """Name -> labels [N, L] of that class, or with that attribute turned round; none where there are too many.

    `labels` [N, L]: the images' own.
    """
    if spec.labels > MOST_COLUMNS:
        return {}
    names = spec.label_names or tuple(f"label {place}" for place in range(spec.labels))
    places = torch.arange(spec.labels, device=labels.device)
    each = F.one_hot(places, spec.labels).to(labels.dtype)
    if not spec.label_ranges:
        return {name: row.expand_as(labels) for name, row in zip(names, each, strict=True)}
    turned = labels.new_tensor(spec.label_ranges).sum(1) - labels
    return {name: torch.where(row > 0, turned, labels) for name, row in zip(names, each, strict=True)}
