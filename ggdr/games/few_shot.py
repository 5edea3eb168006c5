"""The game of FUNIT: images of one class become those of another, which a few images show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ggdr.errors import UserError
from ggdr.games.relabelled import RelabelledGame
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.few_shot import FewShotDuel
from ggdr.play.game import Networks
from ggdr.play.view import Reals, View, Way
from ggdr.registry import Capability, games, generators, listed
from ggdr.seeding import word


@games.register("few_shot", paper="1905.01723")
@dataclass(frozen=True, kw_only=True)
class FewShotGame(RelabelledGame):
    """Classes are shown by examples: images become such of a class never seen, of which a few are given (FUNIT).

    D knows the classes of training by their labels, G never does (Liu et al. 2019, eq. 1 and 4). In training one image
    shows the class: the real that the fake meets.
    """

    provides: ClassVar = FewShotDuel.provides
    requires: ClassVar = frozenset({Capability.CONTENT_STYLE})

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """The translator, which is told no labels, and D; UserError if it takes no class from images."""
        translator, spec = self.of_images(generator), self.labelled(domains)
        if not self.requires <= translator.provides:
            able = sorted(name for name, part in generators.items() if self.requires <= part.provides)
            raise UserError(
                f"game {self.name!r} takes a class from images, and generator {translator.name!r} provides"
                f" {listed(translator.provides)}: take --generator {' or '.join(able)}."
            )
        plain = spec.unlabelled()
        return Networks(
            {
                "g": {"generator": translator.build(plain, plain)},
                "d": {"discriminator": discriminator.build(spec, extra)},
            }
        )

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """Return the one duel of a micro-batch: each real, made into the class that the next one shows."""
        (reals,) = batch.values()
        G, D = networks["generator"], networks["discriminator"]
        return [FewShotDuel(G, D, *reals, context, source=reals.images.roll(1, 0))]

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """Images as what the next one shows, which stands beside."""
        (domain,) = domains
        generator = networks["generator"]
        way = Way(
            generator.translate,
            generator.source,
            generator.spec,
            generator.size_divisor,
            encode_style=generator.encode_style,
            style_spec=generator.spec,
            needs_style=True,
            own_code=generator.encode_style,
        )

        def make(batch: Mapping[str, Reals], seed: int) -> Tensor:
            """Each image as the class that the next one shows."""
            torch.manual_seed(word(seed))
            images = batch[domain].images
            return way.translate(images, None, generator.encode_style(images.roll(-1, 0)))

        def beside(batch: Mapping[str, Reals], made: Tensor) -> dict[str, Tensor]:
            """The images that show a class."""
            return {"style": batch[domain].images.roll(-1, 0)}

        return {self.name: View(make=make, target=domain, source=domain, way=way, beside=beside)}
