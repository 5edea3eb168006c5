"""Recipes whose games have several networks, tiny: there and back, one way, shared encoders, pairs, a third turn."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import tiny
from torch import Tensor, nn
from translators import RestingTranslatorConfig, SmallEncoderConfig, SmallTranslatorConfig, TwoNoises

from ggdr.augment.none import NoAugmentation
from ggdr.features.digits import Digits
from ggdr.games.augmented import AugmentedGame
from ggdr.games.multimodal import MultimodalGame
from ggdr.games.one_way import OneWayGame
from ggdr.games.paired import PairedGame
from ggdr.games.shared_encoder import SharedEncoderGame
from ggdr.games.standard import StandardGame
from ggdr.games.stylised import StylisedGame
from ggdr.games.unpaired import UnpairedGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.losses.none import NoLoss
from ggdr.networks.adain import AdaINTranslatorConfig
from ggdr.networks.base import (
    NO_EXTRA,
    DiscriminatorConfig,
    DiscriminatorOutput,
    ExtraOutputs,
    GeneratorOutput,
    ImageSpec,
)
from ggdr.networks.base.module import Discriminator
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.mlp import MLPDiscriminatorConfig
from ggdr.networks.munit import MUNITTranslatorConfig
from ggdr.networks.none import NoDiscriminatorConfig
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.patch_projector import PatchProjectorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.spade import SPADETranslatorConfig
from ggdr.networks.ugatit import UGATITDiscriminatorConfig, UGATITTranslatorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Networks
from ggdr.play.term import Regularizer
from ggdr.play.view import Reals
from ggdr.recipe import Recipe
from ggdr.registry import Capability, discriminators, games, regularizers
from ggdr.regularizers.cam import ClassActivationMaps
from ggdr.regularizers.content import Content
from ggdr.regularizers.content_reconstruction import ContentReconstruction
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.identity import Identity
from ggdr.regularizers.kl import KLDivergence
from ggdr.regularizers.l1 import L1Distance
from ggdr.regularizers.nce import IdentityPatchNCE, PatchNCE
from ggdr.regularizers.paired_feature_matching import PairedFeatureMatching
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.style import Style
from ggdr.regularizers.style_reconstruction import StyleReconstruction

JUDGE = DCGANDiscriminatorConfig(channels=4)
PATCH = PatchDiscriminatorConfig(channels=4, halvings=1, scales=2, norm="none")
MATCHING = PairedFeatureMatching(weight=1.0)
CODED = ResnetTranslatorConfig(channels=4, blocks=1, halvings=1, z_dim=3)
STYLES = ConvEncoderConfig(channels=4, norm="instance", stochastic=True)
AUGMENTED = AugmentedGame(pool=12, encoder=ConvEncoderConfig(channels=4), discriminator_z=MLPDiscriminatorConfig.tiny())


@discriminators.register("code_finder")
@dataclass(frozen=True, kw_only=True)
class CodeFinderConfig(DiscriminatorConfig):
    """An image to a latent code, by one layer."""

    def build(self, spec: ImageSpec, extra: ExtraOutputs = NO_EXTRA) -> CodeFinder:
        return CodeFinder(self, spec, extra)


class CodeFinder(Discriminator):
    def __init__(self, config: CodeFinderConfig, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(config, spec, extra)
        self.layer = nn.Linear(spec.channels * spec.height * spec.width, 8)

    def forward(self, image: Tensor, labels=None, *, resolutions=()) -> DiscriminatorOutput:
        return DiscriminatorOutput(self.layer(image.flatten(1)))


@dataclass
class FoundDuel(Duel):
    """Fakes are made of codes that were found in the reals."""

    finder: Any = None
    provides: ClassVar = Duel.provides | {Capability.CYCLE}

    @cached_property
    def fake(self) -> GeneratorOutput:
        return self.detached(self.generate(self.finder(self.reals).logits))


@games.register("found_codes")
@dataclass(frozen=True, kw_only=True)
class FoundCodes(StandardGame):
    """An encoder and a generator find codes and redraw on the third turn; the generator learns to fool D on its own.

    One duel is of noise, and one of found codes; the generator learns on two turns, and `still` on none.
    """

    turns: ClassVar = ("e", "d", "g")
    provides: ClassVar = FoundDuel.provides

    def build_networks(self, generator, discriminator, domains: Mapping[str, ImageSpec], extra) -> Networks:
        made = super().build_networks(generator, discriminator, domains, extra).learning
        (spec,) = domains.values()
        finder = CodeFinderConfig().build(spec)
        both = {"encoder": finder, **made["g"]}
        return Networks(
            {"e": both, "d": made["d"], "g": made["g"]},
            frozen={"still": CodeFinderConfig().build(spec)},
            model=("generator", "encoder"),
        )

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        of_noise = super().duels(networks, batch, context)
        (reals,) = batch.values()
        found = FoundDuel(networks["generator"], networks["discriminator"], *reals, context, name="found")
        found.finder = networks["encoder"]
        return [*of_noise, found]


@regularizers.register("redraw")
@dataclass(frozen=True, kw_only=True)
class Redraw(Regularizer):
    """The distance of a real and what is made of its code."""

    requires: ClassVar = frozenset({Capability.CYCLE})

    def e_loss(self, duel: Any) -> Tensor:
        return (duel.fake.image - duel.real).abs().mean()


@regularizers.register("small_cycle")
@dataclass(frozen=True, kw_only=True)
class SmallCycle(Regularizer):
    """The distance of a source and itself, there and back."""

    requires: ClassVar = frozenset({Capability.CYCLE})

    def g_loss(self, duel: Any) -> Tensor:
        return (duel.cycled - duel.opposite.real).abs().mean()


def recipe(name: str) -> Recipe:
    """A recipe of a game of several networks, 8 steps of two micro-batches."""
    common = {"trackers": {}, "batch_size": 8, "micro_batch_size": 2, "total_kimg": 0.064, "log_kimg": 0.008}
    common |= {"sample_kimg": 0.0, "checkpoint_kimg": 0.032, "metric_kimg": 0.0, "sample_images": 4}
    common |= {"loss": LeastSquares(), "augment": tiny.recipe.augment}
    r1 = {"r1": R1(weight=0.1, every=2)}
    if name == "pairs_alone":  # nobody judges
        nobody = {"discriminator": NoDiscriminatorConfig(), "loss": NoLoss(), "augment": NoAugmentation()}
        return dataclasses.replace(recipe("paired"), regularizers={"l1": L1Distance()}, **nobody)
    if name == "resting":  # weights that learn nothing at first
        still = {"generator": RestingTranslatorConfig(), "discriminator": PATCH, "regularizers": {"matching": MATCHING}}
        return dataclasses.replace(recipe("paired"), **still)
    if name == "stylised":
        return dataclasses.replace(
            recipe("pairs_alone"),
            data=TwoNoises(),
            generator=AdaINTranslatorConfig.tiny(),
            game=StylisedGame(extractor=Digits(), layers=("silu1", "silu2")),
            regularizers={"content": Content(), "style": Style()},
        )
    if name == "found_codes":
        return Recipe(
            data=tiny.recipe.data,
            generator=DCGANGeneratorConfig(channels=4, z_dim=8),
            discriminator=JUDGE,
            game=FoundCodes(),
            regularizers={**r1, "redraw": Redraw()},
            **common,
        )
    if name == "encoded":  # the code of each truth is found
        coded = {"generator": SPADETranslatorConfig.tiny(), "game": PairedGame(encoder=STYLES)}
        return dataclasses.replace(recipe("paired"), **coded, regularizers={"l1": L1Distance(), "kl": KLDivergence()})
    codes = {"content": ContentReconstruction(), "style": StyleReconstruction(), "identity": Identity()}
    game, maker, judge, terms = {
        "unpaired": (UnpairedGame(pool=12), SmallTranslatorConfig(), JUDGE, {**r1, "cycle": SmallCycle()}),
        "shared_encoder": (SharedEncoderGame(), SmallTranslatorConfig(), SmallEncoderConfig(), {"cycle": SmallCycle()}),
        "augmented": (AUGMENTED, CODED, JUDGE, {**r1, "cycle": CycleConsistency(), "style": StyleReconstruction()}),
        "paired": (PairedGame(), SmallTranslatorConfig(), JUDGE, r1),
        "attentive": (
            UnpairedGame(pool=0, first="d"),
            UGATITTranslatorConfig.tiny(),
            UGATITDiscriminatorConfig.tiny(),
            {"cycle": SmallCycle(), "cam": ClassActivationMaps(weight=10.0)},
        ),
        "multimodal": (MultimodalGame(), MUNITTranslatorConfig.tiny(), JUDGE, {**r1, **codes, "cycle": SmallCycle()}),
        "one_way": (
            OneWayGame(flip_equivariance=True, projector=PatchProjectorConfig.tiny()),
            SmallTranslatorConfig(),
            JUDGE,
            {**r1, "nce": PatchNCE(patches=16), "nce_identity": IdentityPatchNCE(patches=16)},
        ),
    }[name]
    return Recipe(
        data=TwoNoises(paired=name == "paired", gray=name not in ("attentive", "one_way")),
        generator=maker,
        discriminator=judge,
        game=game,
        regularizers=terms,
        **common,
    )
