"""Conditional GAN on digits: the class joins G's latent code and D's image (Mirza & Osindero 2014, arXiv 1411.1784).

The paper's networks are fully connected; here they are DCGAN's (arXiv 1511.06434), with its optimizer, and a label is a
plane of the image. Smaller than DCGAN's: 16 to 64 channels, batches of 32. The loss is the non-saturating one. A mean
of G's weights is kept, which the paper has not.
"""

from ggdr.data.digits import Digits
from ggdr.losses.non_saturating import NonSaturating
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.conditional import Concat
from ggdr.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from ggdr.optimizer import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32, labels=True),
    generator=DCGANGenerator(z_dim=64, channels=16, channel_max=64),
    discriminator=Concat(encoder=DCGANDiscriminator(channels=16, channel_max=64)),
    loss=NonSaturating(),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.0005, beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=0.0005, beta1=0.5, beta2=0.999),
    batch=32,
    total_kimg=10.0,
    ema_kimg=1.0,
    grid_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
