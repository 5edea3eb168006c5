"""Digits from coordinates: all parts of this package in one recipe, some minutes on two CPU cores."""

from ggdr.data.digits import Digits
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.r1 import R1

from ggdr_example.coordinates import CoordinatesGeneratorConfig
from ggdr_example.spectrum import SpectralDistance
from ggdr_example.total_variation import TotalVariation

recipe = Recipe(
    data=Digits(size=16),
    generator=CoordinatesGeneratorConfig(),
    discriminator=DCGANDiscriminatorConfig(channels=16),
    regularizers={"r1": R1(weight=0.1), "total_variation": TotalVariation(weight=0.01)},
    metrics={"spectrum": SpectralDistance(images=1024)},
    g_optimizer=Adam(lr=0.002),
    d_optimizer=Adam(lr=0.002),
    batch_size=32,
    total_kimg=20.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    metric_kimg=5.0,
)
