"""BigGAN-deep on digits of ten classes: bottlenecks, twice the blocks (Brock et al. 2019, arXiv 1809.11096, app. B).

Smaller than there: 8 to 64 channels, batches of 16, not 2048, an embedding of 16, attention at 8 px, one turn of D for
each of G, not two.
Both learn at 0.001, for a short run: when D was four times as fast as G, a ratio of the paper's, it won within 2 kimg.
The mean of G's weights has a half-life of 1 kimg: the paper's decay of 0.9999 a step is meant for longer runs.
"""

from ggdr.data.digits import Digits
from ggdr.losses.hinge import Hinge
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.biggan import BigGANDeepDiscriminatorConfig, BigGANDeepGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32, labels=True),
    generator=BigGANDeepGeneratorConfig(z_dim=64, embedding=16, channels=8, channel_max=64, attention=8),
    discriminator=BigGANDeepDiscriminatorConfig(channels=16, channel_max=64, attention=8),
    loss=Hinge(),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.001, beta1=0.0, beta2=0.999),
    d_optimizer=Adam(lr=0.001, beta1=0.0, beta2=0.999),
    batch_size=16,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
