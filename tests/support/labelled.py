"""Recipes of games between the labels of one domain, tiny."""

from __future__ import annotations

import dataclasses
from typing import Any

import several
from translators import SmallTranslatorConfig

from ggdr.data.digits import Digits
from ggdr.games.few_shot import FewShotGame
from ggdr.games.relabelled import RelabelledGame
from ggdr.games.stack import StackGame
from ggdr.losses.hinge import Hinge
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.funit import FUNITDiscriminatorConfig, FUNITTranslatorConfig
from ggdr.networks.mlp import MLPDiscriminatorConfig, MLPGeneratorConfig
from ggdr.networks.stargan import StarGANDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.recipe import Recipe
from ggdr.regularizers.auxiliary_classifier import AuxiliaryClassifier
from ggdr.regularizers.class_feature_matching import ClassFeatureMatching
from ggdr.regularizers.conditional import Conditional
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.entropy import Entropy
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.identity import Identity
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.wgan_gp import WGANGP

PARTS: dict[str, dict[str, Any]] = {
    "relabelled": {
        "generator": SmallTranslatorConfig(),
        "discriminator": StarGANDiscriminatorConfig.tiny(),
        "game": RelabelledGame(),
        "regularizers": {
            "auxiliary_classifier": AuxiliaryClassifier(fakes=False),
            "cycle": CycleConsistency(),
            "wgan_gp": WGANGP(),
        },
    },
    "few_shot": {
        "generator": FUNITTranslatorConfig.tiny(),
        "discriminator": FUNITDiscriminatorConfig.tiny(),
        "game": FewShotGame(),
        "loss": Hinge(),
        "regularizers": {
            "class_feature_matching": ClassFeatureMatching(),
            "identity": Identity(weight=0.1),
            "r1": R1(weight=10.0, every=1),
        },
    },
    "stack": {
        "generator": DCGANGeneratorConfig.tiny(),
        "discriminator": UNetDiscriminatorConfig(encoder=DCGANDiscriminatorConfig.tiny()),
        "game": StackGame(
            features=MLPGeneratorConfig.tiny(), discriminator_features=MLPDiscriminatorConfig.tiny(), joint_kimg=0.016
        ),
        "regularizers": {
            "conditional": Conditional(),
            "entropy": Entropy(),
            "ggdr": GGDR(resolutions=(8,)),
            "r1": R1(weight=0.1, every=2),
        },
    },
}


def recipe(name: str) -> Recipe:
    """A recipe of such a game, 8 steps of two micro-batches, on digits."""
    return dataclasses.replace(several.recipe("unpaired"), data=Digits(size=16, labels=True, subset=64), **PARTS[name])


def recipe_of(name: str) -> Recipe:
    """A recipe of such a game, or of one of several networks."""
    return recipe(name) if name in PARTS else several.recipe(name)
