"""Progressive GAN on digits: both networks grow from 4 px to 32 px (Karras et al. 2018, arXiv 1710.10196).

WGAN-GP with one turn of D for one of G, Adam and a running mean, as in the paper. Smaller than there: 32 px instead of
1024, 32 channels instead of 512, 0.75 kimg for each stage and each fade instead of 800. The batch is 32 at every size.
The learning rate is 0.004 instead of 0.001, for a short run. No drift penalty, which the paper adds with the weight
0.001: CONTRIBUTING.md has it as an example, for `--use`.
"""

from ggdr.data.digits import Digits
from ggdr.games.progressive import Progressive
from ggdr.losses.wasserstein import Wasserstein
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.progan import ProGANDiscriminatorConfig, ProGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.wgan_gp import WGANGP

recipe = Recipe(
    data=Digits(size=32),
    generator=ProGANGeneratorConfig(z_dim=64, channel_base=256, channel_max=32),
    discriminator=ProGANDiscriminatorConfig(channel_base=256, channel_max=32),
    loss=Wasserstein(clip=0.0),
    regularizers={"wgan_gp": WGANGP()},
    game=Progressive(stage_kimg=0.75, fade_kimg=0.75),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.004),
    d_optimizer=Adam(lr=0.004),
    batch_size=32,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
