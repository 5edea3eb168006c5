"""StyleGAN2 on digits: styles modulate, residual D, lazy R1 (arXiv 1912.04958).

`recipes/digits.py` without GGDR: the paper's networks, loss, Adam without momentum and R1 at each 16th step. Smaller
than there: 32 px, 64 channels at 8 px and below, a mapping network of two layers, no style mixing, no path length.
Gamma is the paper's 10; the learning rate of 0.004 is ours, for a run so short.
"""

from ggdr.data.digits import Digits
from ggdr.losses.non_saturating import NonSaturating
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.r1 import R1

recipe = Recipe(
    data=Digits(size=32),
    generator=StyleGAN2GeneratorConfig(
        z_dim=64, w_dim=64, mapping_layers=2, channel_base=512, channel_max=64, style_mixing=0.0
    ),
    discriminator=StyleGAN2DiscriminatorConfig(channel_base=512, channel_max=64),
    loss=NonSaturating(),
    regularizers={"r1": R1(weight=10.0)},
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.004),
    d_optimizer=Adam(lr=0.004),
    batch_size=16,
    total_kimg=10.0,
    ema_kimg=2.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
