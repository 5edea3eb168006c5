"""WGAN-GP on digits: a residual critic with layer normalization and the gradient penalty (arXiv 1704.00028).

Five turns of D for each of G, as in the paper, so of 50 kimg G sees 10. Smaller than there: 8 to 64 channels, batches
of 32. Both learn at 0.0005, for a short run, faster than the paper's 0.0001 and 0.0002. A mean of G's weights is kept,
which the paper has not.
"""

from ggdr.data.digits import Digits
from ggdr.losses.wasserstein import Wasserstein
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.sngan import SNGANDiscriminatorConfig, SNGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.wgan_gp import WGANGP

recipe = Recipe(
    data=Digits(size=32),
    generator=SNGANGeneratorConfig(z_dim=64, channels=8, channel_max=64),
    discriminator=SNGANDiscriminatorConfig(channels=8, channel_max=64, norm="layer"),
    loss=Wasserstein(clip=0.0),
    regularizers={"wgan_gp": WGANGP(weight=10.0)},
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.0005, beta1=0.0, beta2=0.9),
    d_optimizer=Adam(lr=0.0005, beta1=0.0, beta2=0.9),
    batch_size=32,
    n_critic=5,
    total_kimg=10.0,
    ema_kimg=5.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
