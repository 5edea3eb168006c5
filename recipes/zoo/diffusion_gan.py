"""Diffusion-GAN on digits: what D sees takes steps of a diffusion, of a number that D is told (arXiv 2206.02262).

DCGAN's pair, as `recipes/zoo/dcgan.py` has it, where the paper has StyleGAN2's and Projected GAN's. T can climb by all
of its range in 100 kimg, which is ours; noise and betas are the paper's.
"""

from ggdr.augment.diffusion import Diffusion
from ggdr.data.digits import Digits
from ggdr.losses.non_saturating import NonSaturating
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.timestep import TimestepDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32),
    generator=DCGANGeneratorConfig(channels=16),
    discriminator=TimestepDiscriminatorConfig(encoder=DCGANDiscriminatorConfig(channels=16)),
    loss=NonSaturating(),
    augment=Diffusion(),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.999),
    batch_size=32,
    total_kimg=30.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
