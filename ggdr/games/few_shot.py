"""The game of FUNIT: images of one class become those of another, which a few images show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ggdr.games.relabelled import RelabelledGame
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.few_shot import FewShotDuel
from ggdr.play.game import Networks
from ggdr.play.view import Reals, View, way_in_style
from ggdr.registry import Capability, games
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
    duel: ClassVar = FewShotDuel

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """The translator and D; UserError if the translator takes no class from images."""
        self.check_provides(self.of_images(generator), "takes a class from images")
        return super().build_networks(generator, discriminator, domains, extra)

    def made(self, spec: ImageSpec) -> ImageSpec:
        """Images whose class G is told by no label."""
        return spec.unlabelled()

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """Images as what the next one shows, which stands beside."""
        (domain,) = domains
        generator = networks["generator"]
        way = way_in_style(generator)

        def make(batch: Mapping[str, Reals], seed: int) -> Tensor:
            """Each image as the class that the next one shows."""
            torch.manual_seed(word(seed))
            images = batch[domain].images
            return way.translate(images, None, generator.encode_style(images.roll(-1, 0)))

        def beside(batch: Mapping[str, Reals], made: Tensor) -> dict[str, Tensor]:
            """The images that show a class."""
            return {"style": batch[domain].images.roll(-1, 0)}

        return {self.name: View(make=make, target=domain, source=domain, way=way, least=self.least, beside=beside)}
