"""Conditional GAN on digits: the class joins G's latent code and D's image (Mirza & Osindero 2014, arXiv 1411.1784).

The paper's networks are fully connected; here they are DCGAN's (arXiv 1511.06434), with its optimizer, and a label is a
plane of the image. Smaller than DCGAN's: 16 to 64 channels, batches of 32, at a rate of 0.001. The loss is the
non-saturating one. A mean of G's weights is kept, which the paper has not.
"""

from ggdr.data.digits import Digits
from ggdr.losses.non_saturating import NonSaturating
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.conditional import ConcatDiscriminatorConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32, labels=True),
    generator=DCGANGeneratorConfig(z_dim=64, channels=16, channel_max=64),
    discriminator=ConcatDiscriminatorConfig(encoder=DCGANDiscriminatorConfig(channels=16, channel_max=64)),
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
