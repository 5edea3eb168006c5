"""The game of CycleGAN: two domains, without pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ggdr.errors import UserError, not_negative
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import DiscriminatorConfig, ExtraOutputs, GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks
from ggdr.play.pool import ImagePool
from ggdr.play.term import State
from ggdr.play.translation import CycleDuel
from ggdr.play.view import Reals, View, Way, translation, translation_name, way_of
from ggdr.registry import Capability, games, regularizers

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@games.register("unpaired", paper="1703.10593")
@dataclass(frozen=True, kw_only=True)
class UnpairedGame(Game):
    """Two domains without pairs: translators there and back, a discriminator for each (CycleGAN, Zhu et al. 2017)."""

    pool: int = 50
    """fakes of each domain that are kept, of which D is shown one instead of a new one every other time; 0: none"""
    provides: ClassVar = CycleDuel.provides
    first: Literal["g", "d"] = "g"
    """whose turn comes first in a step: d, so that D sees the fakes that generators make before their update, as in
    U-GAT-IT and NICE-GAN (arXiv 1907.10830, 2003.00273); their published programs fix it, the papers do not"""
    duel: ClassVar[type[CycleDuel]] = CycleDuel
    """the kind of its duels"""
    makers: ClassVar[tuple[str, str]] = ("generator_ab", "generator_ba")
    """who makes images of the second domain, and who of the first"""
    pools: ClassVar[ImagePool | None] = None
    """those of a run, which `start` makes"""

    def __post_init__(self) -> None:
        not_negative(self, "pool")
        object.__setattr__(self, "turns", ("g", "d") if self.first == "g" else ("d", "g"))

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if older fakes could not be what a part takes them for."""
        if not self.pool:
            return
        why = ""
        if recipe.n_critic > 1:
            why = f"n_critic is {recipe.n_critic}, and an update would not be shown what the one before it made"
        for name, term in recipe.regularizers.items():
            if Capability.G_FEATURES in term.requires and "d" in term.turns:
                why = f"regularizer {name!r} compares D's maps with those that the fakes were made by"
            elif Capability.SOURCE in term.requires and "d" in term.turns:
                why = f"regularizer {name!r} teaches D by what the fakes were made of"
        if why:
            raise UserError(f"game {self.name!r} shows D fakes of earlier steps, but {why}: set --game.pool 0.")

    def start(self, device: torch.device) -> State:
        """Begin with empty pools."""
        object.__setattr__(self, "pools", ImagePool(self.pool, device) if self.pool else None)
        return {}

    def learn(self, stats: Mapping[str, Tensor]) -> None:
        """Put the step's fakes into the pools."""
        if self.pools is not None:
            self.pools.exchange()

    def state_dict(self) -> State:
        """The images in the pools, and their labels, by the names of their duels."""
        return {} if self.pools is None else self.pools.state()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state_dict` gave."""
        if self.pools is not None:
            self.pools.load(state)

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

    def check_networks(self, networks: Networks, requires: frozenset[Capability]) -> None:
        """UserError if generators are to be shown images of their domains, which have other channels or sizes."""
        one, other = networks["generator_ab"].source, networks["generator_ba"].source
        if Capability.IDENTITY in requires and one[:3] != other[:3]:
            terms = {name: part.requires for name, part in sorted(regularizers.items()) if part.requires <= requires}
            names = [name for name, needs in terms.items() if Capability.IDENTITY in needs]
            raise UserError(
                f"regularizer {' or '.join(map(repr, names))} shows each generator images of the domain it makes, and"
                f" they have {one.channels} and {other.channels} channels, {one.height} x {one.width} and"
                f" {other.height} x {other.width} px: give both domains one number and one size, or drop it:"
                f" {' '.join(f'--regularizers.{name} none' for name in names)}."
            )

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """Two duels, from the first domain to the second and back, each of which knows the other."""
        (first, a), (second, b) = batch.items()
        to_b, to_a = self.makers
        there, back = (
            self.duel(
                networks[made], networks[judge], *reals, context, name=name, source=source.images, pool=self.pools
            )
            for made, judge, source, reals, name in (
                (to_b, "discriminator_b", a, b, translation_name(first, second)),
                (to_a, "discriminator_a", b, a, translation_name(second, first)),
            )
        )
        there.face(back)
        return [there, back]

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """Both translations, and what becomes of them on the way back."""
        a, b = domains
        there, back = self.translators(networks)
        return {
            translation_name(a, b): translation(a, b, there, back),
            translation_name(b, a): translation(b, a, back, there),
        }

    def translators(self, networks: Mapping[str, Any]) -> tuple[Way, Way]:
        """How images of the first domain become those of the second, and the other way."""
        return way_of(networks["generator_ab"]), way_of(networks["generator_ba"])
