"""StyleGAN3-R on digits: a generator whose images move and turn with its input (Karras et al. 2021).

arXiv 2106.12423, config R: 1x1 convolutions and radial filters, against StyleGAN2's discriminator. Smaller than there:
32 px, 32 to 6 channels, no more than in stylegan3_t.py, where the paper doubles them, 5 filtered layers instead of 14,
margins of 4 px instead of 10, no clamp, 10 kimg. What D sees is not blurred at the start. Gamma is
StyleGAN2's 10; the learning rates of 0.004 are ours, and mean squares have a half-life of 1 kimg, for so short a run.
"""

from ggdr.data.digits import Digits
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig
from ggdr.networks.stylegan3 import StyleGAN3GeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.r1 import R1

recipe = Recipe(
    data=Digits(size=32),
    generator=StyleGAN3GeneratorConfig(
        config="R",
        z_dim=64,
        w_dim=64,
        channel_base=256,
        channel_max=32,
        magnitude_kimg=1.0,
        layers=5,
        margin=4,
        clamp=None,
    ),
    discriminator=StyleGAN2DiscriminatorConfig(channel_base=128, channel_max=32),
    regularizers={"r1": R1(weight=10.0)},
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
