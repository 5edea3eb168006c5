"""Every loss and regularizer, and what they are tried on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import labelled
import tiny
import torch
from image_specs import images_of, labels_of
from registered import own

from ggdr.features.base import Extractor
from ggdr.features.digits import Digits
from ggdr.games.stylised import StylisedGame
from ggdr.networks.adain import AdaINTranslatorConfig
from ggdr.networks.base import NO_EXTRA, DiscriminatorConfig, ImageSpec, TranslatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks, Reals
from ggdr.registry import of_duels
from ggdr.regularizers.perceptual import Perceptual

generators, discriminators, games = own("generator"), own("discriminator"), own("game")


@dataclass(frozen=True, kw_only=True)
class OfDigits(Perceptual):
    """The perceptual distance by a network that is at hand."""

    extractor: Extractor = Digits()
    layers: tuple[str, ...] = ("silu1", "silu2")


TERMS = own("loss") | own("regularizer") | {"perceptual": OfDigits}
"""name -> class, whose defaults need no download"""


@dataclass(frozen=True, kw_only=True)
class StylisedAtRandom(StylisedGame):
    """Style transfer by an encoder of random weights, for images of any number of channels."""

    layers: tuple[str, ...] = ("relu1_1", "relu2_1")

    def build_networks(self, generator, discriminator, domains, extra) -> Networks:
        content, style = domains.values()
        return Networks({"g": {"generator": AdaINTranslatorConfig.tiny().build(style, content)}})


games["stylised"] = StylisedAtRandom


def one_hot(n: int, labels: int) -> torch.Tensor | None:
    return torch.eye(labels)[torch.arange(n) % labels] if labels else None


def translator(term, game: Game | None = None) -> TranslatorConfig:
    """The usual translator, or the first that gives more of what the term needs, and all that the game does."""
    usual = UNetTranslatorConfig.tiny()
    others = [part.tiny() for part in generators.values() if issubclass(part, TranslatorConfig)]
    needs = game.requires if game else frozenset()
    return max([usual, *others], key=lambda each: (needs <= each.provides, len(each.provides & term.requires)))


def judge(term) -> DiscriminatorConfig:
    """The usual discriminator, or the first that gives what else the term needs."""
    usual = tiny.recipe.discriminator
    others = term.requires - of_duels(term.requires) - tiny.STYLEGAN2.provides - translator(term).provides
    return (
        usual if others <= usual.provides else next(d for d in discriminators.values() if others <= d.provides).tiny()
    )


def translations(term, spec: ImageSpec, context: StepContext, device: str = "cpu") -> Callable[[], Duel]:
    """Makes duels of a game whose duels provide what the term needs; their sources are other than the reals.

    It is the first of those that have the fewest settings, further networks among them, and need the least of G.
    """
    torch.manual_seed(2)
    able = [game for game in games.values() if of_duels(term.requires) <= game.provides]
    between = [game for game in able if game.name not in labelled.PARTS]
    game = min(between or able, key=lambda game: (len(dataclasses.fields(game)), len(game.requires)))(fresh_reals=False)
    domains = {"source": spec, "target": spec}
    if not between:  # those between the labels of one domain
        spec = spec if spec.labels else spec._replace(labels=2)
        domains = {"target": spec}
    networks = game.build_networks(translator(term, game), judge(term), domains, NO_EXTRA)
    for name, network in networks.named().items():
        network.to(device).requires_grad_(name in networks.learning[context.turn])
    labels = None if (given := labels_of(spec, 4)) is None else given.to(device)
    target, source = images_of(spec, 8).to(device).split(4)
    batch = {name: Reals({"source": source, "target": target}[name], labels) for name in domains}
    return lambda: game.duels(networks, batch, context)[0]
