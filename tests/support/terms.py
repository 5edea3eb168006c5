"""Every loss and regularizer, and what they are tried on."""

from __future__ import annotations

from collections.abc import Callable

import tiny
import torch
from image_specs import images_of, labels_of
from registered import own

from ggdr.networks.base import NO_EXTRA, DiscriminatorConfig, ImageSpec, TranslatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Reals
from ggdr.registry import of_duels

generators, discriminators, games = own("generator"), own("discriminator"), own("game")

TERMS = own("loss") | own("regularizer")


def one_hot(n: int, labels: int) -> torch.Tensor | None:
    return torch.eye(labels)[torch.arange(n) % labels] if labels else None


def translator(term) -> TranslatorConfig:
    """The usual translator, or the first that gives more of what the term needs."""
    usual = UNetTranslatorConfig.tiny()
    others = [part.tiny() for part in generators.values() if issubclass(part, TranslatorConfig)]
    return max([usual, *others], key=lambda each: len(each.provides & term.requires))


def judge(term) -> DiscriminatorConfig:
    """The usual discriminator, or the first that gives what else the term needs."""
    usual = tiny.recipe.discriminator
    others = term.requires - of_duels(term.requires) - tiny.STYLEGAN2.provides - translator(term).provides
    return (
        usual if others <= usual.provides else next(d for d in discriminators.values() if others <= d.provides).tiny()
    )


def translations(term, spec: ImageSpec, context: StepContext, device: str = "cpu") -> Callable[[], Duel]:
    """Makes duels of the first game whose duels provide what the term needs; their sources are other than the reals."""
    torch.manual_seed(2)
    game = next(game for game in games.values() if of_duels(term.requires) <= game.provides)(fresh_reals=False)
    domains = {"source": spec, "target": spec}
    networks = game.build_networks(translator(term), judge(term), domains, NO_EXTRA)
    for name, network in networks.named().items():
        network.to(device).requires_grad_(name in networks.learning[context.turn])
    labels = None if (given := labels_of(spec, 4)) is None else given.to(device)
    target, source = images_of(spec, 8).to(device).split(4)
    batch = {"source": Reals(source, labels), "target": Reals(target, labels)}
    return lambda: game.duels(networks, batch, context)[0]
