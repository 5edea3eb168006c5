"""MSG-GAN on digits: G's images of all sizes enter D, so gradients do too (Karnewar & Wang 2020, arXiv 1903.06048).

WGAN-GP with one turn of D for one of G, as the paper's MSG-ProGAN. Smaller than there: 32 px instead of up to 1024,
32 channels instead of 512. Differences: Adam instead of RMSprop, at the rate 0.003; the gradient penalty is taken with
respect to the largest image, of which D makes the smaller ones, instead of each size; no drift penalty.
"""

from ggdr.data.digits import Digits
from ggdr.losses.wasserstein import Wasserstein
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.msg_gan import MSGGANDiscriminatorConfig, MSGGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.wgan_gp import WGANGP

recipe = Recipe(
    data=Digits(size=32),
    generator=MSGGANGeneratorConfig(z_dim=64, channel_base=256, channel_max=32),
    discriminator=MSGGANDiscriminatorConfig(channel_base=256, channel_max=32),
    loss=Wasserstein(clip=0.0),
    regularizers={"wgan_gp": WGANGP()},
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.003),
    d_optimizer=Adam(lr=0.003),
    batch_size=32,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
