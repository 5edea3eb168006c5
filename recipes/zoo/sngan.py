"""SNGAN on digits: residual networks, spectral normalization in D, hinge loss (Miyato et al. 2018, arXiv 1802.05957).

Smaller than there: 8 to 64 channels, batches of 32. D takes one turn for each of G, not five: in so short a run G would
hardly learn. Both learn at 0.001, faster than the paper's 0.0002. A mean of G's weights is kept, unlike there.
"""

from ggdr.data.digits import Digits
from ggdr.losses.hinge import Hinge
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.sngan import SNGANDiscriminatorConfig, SNGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32),
    generator=SNGANGeneratorConfig(z_dim=64, channels=8, channel_max=64),
    discriminator=SNGANDiscriminatorConfig(channels=16, channel_max=64),
    loss=Hinge(),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.001, beta1=0.0, beta2=0.9),
    d_optimizer=Adam(lr=0.001, beta1=0.0, beta2=0.9),
    batch_size=32,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
