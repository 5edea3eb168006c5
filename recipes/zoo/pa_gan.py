"""PA-GAN: random bits beside the image make the discriminator's task harder (Zhang & Khoreva 2019, arXiv 1901.10422).

Smaller than there: 32 px gray digits, 10 kimg at a high rate, 32 channels, spectral normalization.
Two bits, by a schedule, where the paper goes by the kernel distance of its fakes.
"""

from ggdr.data.digits import Digits
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.pa_gan import PAGANDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32),
    generator=DCGANGeneratorConfig(z_dim=64, channels=32),
    discriminator=PAGANDiscriminatorConfig(
        encoder=DCGANDiscriminatorConfig(channels=32, norm="spectral"),
        levels=2,
        start_kimg=1.0,
        interval_kimg=4.0,
        ramp_kimg=2.0,
    ),
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
