"""A Game: who plays, and how a batch becomes duels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from ggdr.errors import UserError
from ggdr.lazy import Tensor
from ggdr.networks.base import (
    DiscriminatorConfig,
    ExtraOutputs,
    GeneratorConfig,
    ImageSpec,
    NetworkConfig,
    TranslatorConfig,
)
from ggdr.play.duel import NOBODY, Duel, StepContext
from ggdr.play.term import Adaptive, Turn
from ggdr.play.view import Reals, View
from ggdr.registry import Capability, games, listed


@dataclass
class Networks:
    """Who plays: networks by the names under which they are saved."""

    learning: dict[Turn, dict[str, Any]]
    """turn -> those that learn on it; one may learn on several"""
    frozen: dict[str, Any] = field(default_factory=dict)
    """those that never learn"""
    model: tuple[str, ...] = ()
    """names of those whose running means are the model; empty: all that learn on G's turn"""

    label_classes: int = 0
    """K of the label map of which a domain consists, its first K channels; 0: none does"""

    def __getitem__(self, name: str) -> Any:
        """The network of a name."""
        return self.named()[name]

    def judge(self, name: str) -> Any:
        """The discriminator of a name; where nobody judges, what says so when it is asked."""
        return self.named().get(name, NOBODY)

    def named(self) -> dict[str, Any]:
        """All networks by name, those that learn and those that never do."""
        return {name: net for nets in (*self.learning.values(), self.frozen) for name, net in nets.items()}

    def averaged(self) -> dict[str, Any]:
        """Those whose running means are the model."""
        return {name: self[name] for name in self.model or self.learning["g"]}

    def measure(self) -> dict[str, Tensor]:
        """What the model's networks saw since the last call, as NETWORK/NAME, for `after_step`."""
        found = {name: network.measure() for name, network in self.averaged().items()}
        return {f"{name}/{key}": value for name, seen in found.items() for key, value in seen.items()}

    def after_step(self, stats: Mapping[str, Tensor]) -> None:
        """Let the model's networks take in the step's means, each its own, and how many `images` were shown."""
        for name, network in self.averaged().items():
            head = f"{name}/"
            seen = {key[len(head) :]: value for key, value in stats.items() if key.startswith(head)}
            network.after_step({"images": stats["images"], **seen})


@dataclass(frozen=True, kw_only=True)
class Game(Adaptive):
    """The settings of a game; one that remembers something from step to step has a state, as terms may have."""

    registry = games
    fresh_reals: bool = False
    """G's turn meets reals other than those of D's turn in the same step, as R3GAN's published program has it: each
    step reads one batch more, and counts it in no kimg"""
    turns: ClassVar[tuple[Turn, ...]] = ("g", "d")
    """whose turn it is, in the order of a step"""
    judges: ClassVar[Literal["always", "either", "never"]] = "always"
    """whether there is a discriminator: always, as the recipe has it, or never; without one D has no turn"""
    pairs: ClassVar[bool] = False
    """what lies at one place of each domain must belong together"""
    provides: ClassVar[frozenset[Capability]] = Duel.provides
    """what its duels provide, any of them"""

    def check_source(self) -> None:
        """UserError if a model that it takes a network from is not where its settings say, by names alone."""

    def build_networks(
        self,
        generator: GeneratorConfig | TranslatorConfig,
        discriminator: DiscriminatorConfig,
        domains: Mapping[str, ImageSpec],
        extra: ExtraOutputs,
    ) -> Networks:
        """The networks that play, freshly initialised.

        `domains`: name -> its images, the last of which are to be made; `extra`: what the terms ask of discriminators
        beside a logit. UserError if these domains are none for the game.
        """
        raise NotImplementedError

    def of_noise(self, generator: GeneratorConfig | TranslatorConfig) -> GeneratorConfig:
        """The settings of a generator that makes images of noise; UserError if it makes them of images."""
        if isinstance(generator, GeneratorConfig):
            return generator
        raise UserError(
            f"game {self.name!r} makes images of noise, and generator {generator.name!r} makes them of images; take one"
            " that takes noise, such as --generator stylegan2."
        )

    def of_images(self, generator: GeneratorConfig | TranslatorConfig) -> TranslatorConfig:
        """The settings of a generator that makes images of images; UserError if it makes them of noise."""
        if isinstance(generator, TranslatorConfig):
            return generator
        raise UserError(
            f"game {self.name!r} makes images of images, and generator {generator.name!r} makes them of noise; take one"
            " that takes images, such as --generator resnet_translator."
        )

    def check_provides(self, settings: NetworkConfig, use: str) -> None:
        """UserError if a network's settings do not provide what the game `requires`; `use`: what it does with that."""
        if self.requires <= settings.provides:
            return
        kind, registry = settings.registry.kind, settings.registry
        able = sorted(name for name, part in registry.items() if self.requires <= part.provides)
        raise UserError(
            f"game {self.name!r} {use}, and {kind} {settings.name!r} provides {listed(settings.provides)}: take"
            f" --{kind} {' or '.join(able)}."
        )

    def one(self, domains: Mapping[str, ImageSpec]) -> Mapping[str, ImageSpec]:
        """The domains; UserError if they are several."""
        if len(domains) == 1:
            return domains
        raise UserError(
            f"game {self.name!r} is played on images of one kind, and the data has {', '.join(domains)}: take other"
            " data, such as --data images."
        )

    def two(self, domains: Mapping[str, ImageSpec]) -> Mapping[str, ImageSpec]:
        """The domains; UserError if they are not two."""
        if len(domains) == 2:
            return domains
        raise UserError(
            f"game {self.name!r} is played between two domains, and the data has {len(domains)}:"
            f" {', '.join(domains)}; take data of two, such as --data pairs or --data domains."
        )

    def check_networks(self, networks: Networks, requires: frozenset[Capability]) -> None:
        """UserError if its duels cannot provide, between these networks, what the terms of the recipe require."""

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """Who meets whom on a micro-batch of each domain's reals, by its name; `context.turn` says whose turn it is."""
        raise NotImplementedError

    def label_map(self, networks: Networks, reals: Reals) -> Tensor | None:
        """The class channels [N, K, H, W] of a domain of label maps, without what lies behind them; None of another."""
        return reals.images[:, : networks.label_classes] if networks.label_classes else None

    def views(self, networks: Mapping[str, Any], domains: Sequence[str]) -> dict[str, View]:
        """What the model makes, by the names of its grids and numbers; `networks`: running means, and frozen ones.

        `domains`: names of the data's, in their order.
        """
        raise NotImplementedError

    def restarts(self, before: float, kimg: float, spec: ImageSpec) -> bool:
        """Whether the optimizers begin again, with no memory of gradients, at the step `kimg` after the one `before`.

        Both in thousands of reals shown until then; `spec`: of the images. A pure function, so that resuming is exact.
        """
        return False
