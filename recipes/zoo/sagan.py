"""SAGAN on digits: self-attention at 8 px, spectral normalization in both (Zhang et al. 2019, arXiv 1805.08318).

Hinge loss, and D learns faster than G (TTUR): at 0.002 and 0.001, for a short run, the paper's being 0.0004 and 0.0001.
Smaller than there: 8 to 64 channels, batches of 32, attention at 8 px rather than 32 or 64, no labels. A mean
of G's weights is kept, which the paper has not.
"""

from ggdr.data.digits import Digits
from ggdr.losses.hinge import Hinge
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.sagan import SAGANDiscriminatorConfig, SAGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32),
    generator=SAGANGeneratorConfig(z_dim=64, channels=8, channel_max=64, attention=8),
    discriminator=SAGANDiscriminatorConfig(channels=16, channel_max=64, attention=8),
    loss=Hinge(),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.001, beta1=0.0, beta2=0.9),
    d_optimizer=Adam(lr=0.002, beta1=0.0, beta2=0.9),
    batch_size=32,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
