"""BigGAN with orthogonal regularization on digits of ten classes (Brock et al. 2019, arXiv 1809.11096, eq. 3).

The recipe of biggan.py and the paper's weight of 0.0001; it is there for `ggdr generate --truncation-psi`.

Smaller than there: 8 to 64 channels, batches of 32, not 2048, an embedding of 16, attention at 8 px, one turn of D for
each of G, not two. G learns at 0.001 and D at 0.002, for a short run, faster than the paper's 0.00005 and 0.0002.
The mean of G's weights has a half-life of 1 kimg: the paper's decay of 0.9999 a step is meant for longer runs.
"""

from ggdr.data.digits import Digits
from ggdr.losses.hinge import Hinge
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.biggan import BigGANDiscriminatorConfig, BigGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.orthogonal import Orthogonal

recipe = Recipe(
    data=Digits(size=32, labels=True),
    generator=BigGANGeneratorConfig(z_part=16, embedding=16, channels=8, channel_max=64, attention=8),
    discriminator=BigGANDiscriminatorConfig(channels=16, channel_max=64, attention=8),
    loss=Hinge(),
    regularizers={"orthogonal": Orthogonal(weight=1e-4)},
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.001, beta1=0.0, beta2=0.999),
    d_optimizer=Adam(lr=0.002, beta1=0.0, beta2=0.999),
    batch_size=32,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
