"""StyleGAN on digits: styles by adaptive instance normalization, noise, mixing (Karras et al. 2019, arXiv 1812.04948).

Non-saturating loss with R1 at every step and both networks grown from 8 px, as the paper trains on FFHQ. Smaller than
there: 32 px instead of 1024, 32 channels instead of 512, a mapping of 2 layers instead of 8, 1 kimg for each stage and
each fade. Gamma is the paper's 10; the learning rate is 0.004 instead of 0.001, for a short run.
"""

from ggdr.data.digits import Digits
from ggdr.games.progressive import Progressive
from ggdr.losses.non_saturating import NonSaturating
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.progan import ProGANDiscriminatorConfig
from ggdr.networks.stylegan import StyleGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.r1 import R1

recipe = Recipe(
    data=Digits(size=32),
    generator=StyleGANGeneratorConfig(z_dim=64, w_dim=64, mapping_layers=2, channel_base=256, channel_max=32),
    discriminator=ProGANDiscriminatorConfig(channel_base=256, channel_max=32, blur=True),
    loss=NonSaturating(),
    regularizers={"r1": R1(weight=10.0, every=1)},
    game=Progressive(start_side=8, stage_kimg=1.0, fade_kimg=1.0),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.004),
    d_optimizer=Adam(lr=0.004),
    batch_size=16,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
