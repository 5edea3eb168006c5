"""Recipes of games whose encoders find codes of a prior, tiny."""

from __future__ import annotations

import dataclasses
from typing import Any

import labelled
import several

from ggdr.data.digits import Digits
from ggdr.data.semi_supervised import SemiSupervised
from ggdr.games.autoencoder import AutoencoderGame
from ggdr.games.bidirectional import BidirectionalGame
from ggdr.games.standard import StandardGame
from ggdr.losses.non_saturating import NonSaturating
from ggdr.networks.conditional import ConcatDiscriminatorConfig
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.from_prior import FromPriorGeneratorConfig
from ggdr.networks.mlp import MLPDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.priors.gaussian import Gaussian
from ggdr.priors.mixture import Mixture
from ggdr.priors.structured import Structured
from ggdr.recipe import Recipe
from ggdr.regularizers.classification import Classification
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.image_reconstruction import ImageReconstruction
from ggdr.regularizers.mutual_information import MutualInformation
from ggdr.regularizers.r1 import R1

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
}


def recipe(name: str) -> Recipe:
    """A recipe of such a game, 8 steps of two micro-batches, on digits."""
    return dataclasses.replace(several.recipe("found_codes"), **({"data": DATA} | PARTS[name]))


def recipe_of(name: str) -> Recipe:
    """A recipe of such a game, or of another of several networks."""
    return recipe(name) if name in PARTS else labelled.recipe_of(name)
