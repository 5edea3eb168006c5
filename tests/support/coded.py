"""Recipes of games whose encoders find codes of a prior, tiny."""

from __future__ import annotations

import dataclasses
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import labelled
import several
import tiny
import torch

from ggdr.augment.none import NoAugmentation
from ggdr.data.digits import Digits
from ggdr.data.semi_supervised import SemiSupervised
from ggdr.features.digits import Digits as DigitFeatures
from ggdr.games.autoencoder import AutoencoderGame
from ggdr.games.bidirectional import BidirectionalGame
from ggdr.games.encoder import EncoderGame
from ggdr.games.standard import StandardGame
from ggdr.losses.non_saturating import NonSaturating
from ggdr.losses.none import NoLoss
from ggdr.networks.base import GeneratorConfig
from ggdr.networks.conditional import ConcatDiscriminatorConfig
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.from_prior import FromPriorGeneratorConfig
from ggdr.networks.mlp import MLPDiscriminatorConfig
from ggdr.networks.none import NoDiscriminatorConfig, NoGeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.priors.gaussian import Gaussian
from ggdr.priors.mixture import Mixture
from ggdr.priors.structured import Structured
from ggdr.recipe import Recipe
from ggdr.regularizers.classification import Classification
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.image_reconstruction import ImageReconstruction
from ggdr.regularizers.latent_regression import LatentRegression
from ggdr.regularizers.mutual_information import MutualInformation
from ggdr.regularizers.perceptual import Perceptual
from ggdr.regularizers.r1 import R1
from ggdr.saving.model import save_model

ENCODER = ConvEncoderConfig(channels=4)
DATA = Digits(size=16, labels=True, subset=64, hold_out=32)
PARTS: dict[str, dict[str, Any]] = {
    "autoencoder": {
        "generator": DCGANGeneratorConfig(z_dim=2, channels=4),
        "discriminator": MLPDiscriminatorConfig.tiny(),
        "game": AutoencoderGame(encoder=dataclasses.replace(ENCODER, stochastic=True), prior=Mixture(), labels="prior"),
        "regularizers": {"image_reconstruction": ImageReconstruction(), "r1": R1(weight=0.1, every=2)},
    },
    "semi_supervised": {
        "data": SemiSupervised(images=DATA, labelled=20),
        "generator": DCGANGeneratorConfig(z_dim=13, channels=4),
        "discriminator": MLPDiscriminatorConfig.tiny(),
        "game": AutoencoderGame(encoder=ENCODER, prior=Gaussian(std=2.0)),
        "regularizers": {"image_reconstruction": ImageReconstruction(), "classification": Classification()},
    },
    "bidirectional": {
        "generator": DCGANGeneratorConfig(z_dim=3, channels=4),
        "discriminator": ConcatDiscriminatorConfig(
            encoder=UNetDiscriminatorConfig(encoder=DCGANDiscriminatorConfig(channels=4))
        ),
        "game": BidirectionalGame(encoder=dataclasses.replace(ENCODER, stochastic=True)),
        "loss": NonSaturating(),
        "regularizers": {"r1": R1(weight=0.1, every=2), "ggdr": GGDR(resolutions=(8,))},
    },
    "informed": {
        "generator": FromPriorGeneratorConfig(
            generator=DCGANGeneratorConfig(z_dim=8, channels=4), prior=Structured(categories=(3, 2), uniform=1)
        ),
        "discriminator": UNetDiscriminatorConfig(encoder=DCGANDiscriminatorConfig(channels=4)),
        "game": StandardGame(),
        "loss": NonSaturating(),
        "regularizers": {"mutual_information": MutualInformation(hidden=8), "ggdr": GGDR(resolutions=(8,))},
    },
    "encoder": {
        "generator": NoGeneratorConfig(),
        "discriminator": NoDiscriminatorConfig(),
        "game": EncoderGame(encoder=ENCODER),  # of the generator that `saved_generator` saves
        "loss": NoLoss(),
        "augment": NoAugmentation(),
        "regularizers": {
            "latent_regression": LatentRegression(),
            "image_reconstruction": ImageReconstruction(),
            "perceptual": Perceptual(extractor=DigitFeatures(), layers=()),
        },
    },
}


@cache
def saved_generator(settings: GeneratorConfig = tiny.STYLEGAN2) -> str:
    """The folder of a generator of the data's images with random weights, saved once in a process."""
    folder = Path(tempfile.mkdtemp(prefix="ggdr-tests-")) / "generator"
    torch.manual_seed(7)
    save_model(tiny.moved(settings.build(DATA.open().spec)).eval(), folder)
    return str(folder)


def recipe(name: str) -> Recipe:
    """A recipe of such a game, 8 steps of two micro-batches, on digits."""
    parts: dict[str, Any] = {"data": DATA} | PARTS[name]
    if name == "encoder":
        parts["game"] = dataclasses.replace(parts["game"], generator=saved_generator())
    return dataclasses.replace(several.recipe("found_codes"), **parts)


def recipe_of(name: str) -> Recipe:
    """A recipe of such a game, or of another of several networks."""
    return recipe(name) if name in PARTS else labelled.recipe_of(name)
