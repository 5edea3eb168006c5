"""DCGAN on digits: transposed and strided convolutions with batch normalization (arXiv 1511.06434).

The paper's latent code, weights from N(0, 0.02), betas and loss (the non-saturating one of arXiv 1406.2661). Smaller
than there: 32 px instead of 64, an eighth of the channels, batches of 32 instead of 128. Unlike there: a learning rate
of 0.001 instead of 0.0002, for a short run, and samples are drawn from a running mean of G's weights.
"""

from ggdr.data.digits import Digits
from ggdr.losses.non_saturating import NonSaturating
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32),
    generator=DCGANGeneratorConfig(channels=16),
    discriminator=DCGANDiscriminatorConfig(channels=16),
    loss=NonSaturating(),
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
