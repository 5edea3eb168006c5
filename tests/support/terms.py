"""Every loss and regularizer, and what they are tried on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import coded
import labelled
import tiny
import torch
from image_specs import images_of, labels_of
from registered import own

from ggdr.features.base import Embedder, Extractor, Features
from ggdr.features.digits import Digits
from ggdr.games.encoder import EncoderGame
from ggdr.games.stack import StackGame
from ggdr.games.stylised import StylisedGame
from ggdr.networks.adain import AdaINTranslatorConfig
from ggdr.networks.base import (
    NO_EXTRA,
    DiscriminatorConfig,
    ExtraOutputs,
    GeneratorConfig,
    ImageSpec,
    TranslatorConfig,
)
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.from_prior import FromPriorGeneratorConfig
from ggdr.networks.mlp import MLPDiscriminatorConfig
from ggdr.networks.spade import SPADETranslatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Game, Networks, Reals
from ggdr.registry import Capability, of_duels
from ggdr.regularizers.perceptual import Perceptual
from ggdr.regularizers.repa import REPA

generators, discriminators, games = own("generator"), own("discriminator"), own("game")


@dataclass(frozen=True, kw_only=True)
class OfDigits(Perceptual):
    """The perceptual distance by a network that is at hand."""

    extractor: Extractor = Digits()
    layers: tuple[str, ...] = ("silu1", "silu2")


@dataclass(frozen=True, kw_only=True)
class AlignedWithDigits(REPA):
    """The alignment with a network that is at hand."""

    extractor: Extractor = Digits()
    hidden: int = 8


TERMS = own("loss") | own("regularizer") | {"perceptual": OfDigits, "repa": AlignedWithDigits}
"""name -> class, whose defaults need no download"""


@dataclass(frozen=True, kw_only=True)
class StylisedAtRandom(StylisedGame):
    """Style transfer by an encoder of random weights, for images of any number of channels."""

    layers: tuple[str, ...] = ("relu1_1", "relu2_1")

    def build_networks(self, generator, discriminator, domains, extra) -> Networks:
        content, style = domains.values()
        return Networks({"g": {"generator": AdaINTranslatorConfig.tiny().build(style, content)}})


class SketchOfClasses(Embedder):
    """Says of images what random weights make of their means."""

    width = 6

    def __init__(self, classes: int, device: str):
        draw = torch.Generator().manual_seed(0)
        sizes = (self.width,), (self.width, classes)
        self.weights = [torch.randn(size, generator=draw).to(device) for size in sizes]

    def __call__(self, images):
        return Features(images.mean(dim=(1, 2, 3))[:, None] / 255 * self.weights[0])

    def classify(self, rows):
        return rows @ self.weights[1]


@dataclass(frozen=True, kw_only=True)
class StackAtRandom(StackGame):
    """A stack above random weights, for images of any number of channels and classes."""

    def build_networks(self, generator, discriminator, domains, extra) -> Networks:
        (spec,) = domains.values()
        for device in ("cpu", "meta"):
            self.loaded[torch.device(device)] = SketchOfClasses(spec.labels, device)
        return super().build_networks(generator, discriminator, domains, extra)


@dataclass(frozen=True, kw_only=True)
class EncoderAtRandom(EncoderGame):
    """An encoder of a generator of random weights, for images of any number of channels."""

    def build_networks(self, generator, discriminator, domains, extra) -> Networks:
        (spec,) = domains.values()
        object.__setattr__(self, "trained", tiny.STYLEGAN2.build(spec).eval())
        return super().build_networks(generator, discriminator, domains, extra)


games["stylised"], games["stack"], games["encoder"] = StylisedAtRandom, StackAtRandom, EncoderAtRandom
CLASSES = 4
"""of label maps"""
OF_NOISE = Duel.provides | {Capability.LABEL_MAP}
"""what duels whose fakes are made of noise may provide"""


def one_hot(n: int, labels: int) -> torch.Tensor | None:
    return torch.eye(labels)[torch.arange(n) % labels] if labels else None


def label_map_of(spec: ImageSpec, n: int) -> torch.Tensor:
    """Classes of the pixels [n, 4, H, W], one-hot, in stripes; one corner is ignored."""
    stripes = (torch.arange(spec.height)[:, None] // 3 + torch.arange(spec.width)) % CLASSES
    label_map = torch.eye(CLASSES)[stripes].permute(2, 0, 1).repeat(n, 1, 1, 1)
    label_map[:, :, :2, :2] = 0
    return label_map


def extra_of(term, spec: ImageSpec, generator) -> ExtraOutputs:
    """What the term asks of a discriminator beside a logit."""
    targets = {resolution: generator.feature_channels[resolution] for resolution in term.feature_resolutions()}
    classes = CLASSES + 1 if Capability.CLASS_LOGITS in term.requires else 0
    return ExtraOutputs(targets, term.heads(spec, generator), classes)


def translator(term, game: Game | None = None) -> TranslatorConfig:
    """The usual translator, or the first that gives more of what the term needs, and all that the game does."""
    usual = SPADETranslatorConfig.tiny() if encoded(term) else UNetTranslatorConfig.tiny()
    others = [part.tiny() for part in generators.values() if issubclass(part, TranslatorConfig)]
    needs = game.requires if game else frozenset()
    return max([usual, *others], key=lambda each: (needs <= each.provides, len(each.provides & term.requires)))


def encoded(term) -> bool:
    """Whether the term reads what an encoder says of images, which then has to be there, and somebody to take codes."""
    return Capability.POSTERIOR in term.requires


def of_noise(term) -> GeneratorConfig:
    """The usual generator, or one with a prior where the term reads it."""
    return FromPriorGeneratorConfig.tiny() if Capability.PRIOR in term.requires else tiny.STYLEGAN2


def judge(term) -> DiscriminatorConfig:
    """The usual discriminator, or the first that gives what else the term needs."""
    usual = tiny.recipe.discriminator
    others = term.requires - of_duels(term.requires) - of_noise(term).provides - translator(term).provides
    return (
        usual if others <= usual.provides else next(d for d in discriminators.values() if others <= d.provides).tiny()
    )


def translations(term, spec: ImageSpec, context: StepContext, device: str = "cpu") -> Callable[[], Duel]:
    """Makes duels of a game whose duels provide what the term needs; their sources are other than the reals.

    It is the first of those that have the fewest settings, further networks among them, and need the least of G.
    """
    torch.manual_seed(2)
    able = [g for g in games.values() if of_duels(term.requires) <= g.provides and context.turn in g.turns]
    between = [game for game in able if game.name not in {*labelled.PARTS, *coded.PARTS}]
    maker: GeneratorConfig | TranslatorConfig
    game = min(between or able, key=lambda game: (len(dataclasses.fields(game)), len(game.requires)))(fresh_reals=False)
    game = dataclasses.replace(game, encoder=ConvEncoderConfig.tiny()) if encoded(term) else game
    mapped = Capability.LABEL_MAP in context.requires
    seen = spec._replace(channels=CLASSES, classes=CLASSES) if mapped else spec
    domains = {"source": seen, "target": spec}
    maker, judging = translator(term, game), judge(term)
    if game.name in coded.PARTS:
        domains, maker, judging = {"target": spec}, DCGANGeneratorConfig.tiny(), MLPDiscriminatorConfig.tiny()
    if Capability.CLASSIFIED in term.requires:
        spec = spec if spec.labels else spec._replace(labels=2)
        domains = {"source": spec, "target": spec.unlabelled()}
    elif not between and game.name not in coded.PARTS:  # those between the labels of one domain
        spec = spec if spec.labels else spec._replace(labels=2)
        domains, maker = {"target": spec}, labelled.PARTS[game.name]["generator"]
    extra = ExtraOutputs(class_logits=CLASSES + 1) if Capability.CLASS_LOGITS in term.requires else NO_EXTRA
    networks = game.build_networks(maker, judging, domains, extra)
    for name, network in networks.named().items():
        network.to(device).requires_grad_(name in networks.learning[context.turn])
    labels = None if (given := labels_of(spec, 4)) is None else given.to(device)
    target, source = images_of(spec, 8).to(device).split(4)
    source = label_map_of(spec, 4).to(device) if mapped else source
    images = {"source": source, "target": target}
    batch = {name: Reals(images[name], labels if of.labels else None) for name, of in domains.items()}
    needs = of_duels(term.requires)

    def fight() -> Duel:
        """The first duel that has what the term needs, or the first of all."""
        duels = game.duels(networks, batch, context)
        return next((duel for duel in duels if needs <= duel.provides), duels[0])

    return fight
