"""Projection discriminator on digits of ten classes (Miyato & Koyama 2018, arXiv 1802.05637): SNGAN's pair, labelled.

They scale and shift what G's batch normalization gives, and D adds how well the image fits its label's embedding.
Smaller than there: 8 to 64 channels, batches of 32, one turn of D for each of G, not five; both learn at 0.001, not
0.0002, for a short run. A mean of G's weights is kept, which the paper has not.
"""

from ggdr.data.digits import Digits
from ggdr.losses.hinge import Hinge
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.sngan import SNGANDiscriminatorConfig, SNGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32, labels=True),
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
