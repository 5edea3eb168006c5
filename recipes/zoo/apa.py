"""Adaptive pseudo augmentation of StyleGAN2, on few images (Jiang et al. 2021, arXiv 2111.06849).

Smaller than there: 32 px gray digits, a quarter of them, 10 kimg, 32 channels at most; p climbs in 20 kimg, not 500.
"""

from ggdr.data.digits import Digits
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.apa import APA
from ggdr.regularizers.r1 import R1

recipe = Recipe(
    data=Digits(size=32, subset=450),
    generator=StyleGAN2GeneratorConfig(
        z_dim=64, w_dim=64, mapping_layers=2, channel_base=256, channel_max=32, style_mixing=0.0
    ),
    discriminator=StyleGAN2DiscriminatorConfig(channel_base=256, channel_max=32),
    regularizers={"r1": R1(weight=10.0), "apa": APA(speed_kimg=20.0)},
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
