"""ContraD: the discriminator learns to represent, by contrasts; a head judges (Jeong & Shin 2021, arXiv 2103.09742).

Smaller than there: 32 px gray digits, 10 kimg, 32 channels, batch 16, where contrasts want hundreds. Views are not
mirrored: a digit that is mirrored is none. G learns at less than a third of D's rate, or it leaves the digits behind.
"""

from ggdr.data.digits import Digits
from ggdr.losses.contrad import ContraD
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32),
    generator=DCGANGeneratorConfig(z_dim=64, channels=32),
    discriminator=UNetDiscriminatorConfig(encoder=DCGANDiscriminatorConfig(channels=32, norm="spectral")),
    loss=ContraD(width=64, hidden=128, flip=False),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.0003, beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.999),
    batch_size=16,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
