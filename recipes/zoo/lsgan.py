"""LSGAN on digits: D is a regression to 1 and 0, so that fakes far from the boundary are drawn back (arXiv 1611.04076).

The paper's equation 9 and its beta1 of 0.5. Smaller than there: the pair is that of `recipes/zoo/dcgan.py`, of 32 px
instead of 112 and of fewer layers. Unlike there: samples are drawn from a running mean of G's weights.
"""

from ggdr.data.digits import Digits
from ggdr.losses.least_squares import LeastSquares
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32),
    generator=DCGANGeneratorConfig(channels=16),
    discriminator=DCGANDiscriminatorConfig(channels=16),
    loss=LeastSquares(),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.999),
    batch_size=32,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
