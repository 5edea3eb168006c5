"""DRAGAN on digits: D's slope is held at 1 around the reals, so that it has no sharp cliffs there (arXiv 1705.07215).

The paper's penalty (lambda 10), added to the non-saturating loss, and a small DCGAN pair, that of
`recipes/zoo/dcgan.py`, whose betas it takes. D keeps its batch normalization: without it G made one image here. Samples
are drawn from a running mean of G's weights, which the paper has not.
"""

from ggdr.data.digits import Digits
from ggdr.losses.non_saturating import NonSaturating
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.dragan import DRAGAN

recipe = Recipe(
    data=Digits(size=32),
    generator=DCGANGeneratorConfig(channels=16),
    discriminator=DCGANDiscriminatorConfig(channels=16),
    loss=NonSaturating(),
    regularizers={"dragan": DRAGAN()},
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
