"""FSMR: the discriminator is to overlook the statistics of its maps (Kim et al. 2022, arXiv 2112.04120).

Smaller than there: 32 px gray digits, 10 kimg, a StyleGAN2 of 64 channels at most; mixed at the end of blocks.
"""

from ggdr.data.digits import Digits
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.stylegan2 import StyleGAN2Discriminator, StyleGAN2Generator
from ggdr.optimizer import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.fsmr import FSMR
from ggdr.regularizers.r1 import R1

recipe = Recipe(
    data=Digits(size=32),
    generator=StyleGAN2Generator(
        z_dim=64, w_dim=64, mapping_layers=2, channel_base=512, channel_max=64, style_mixing=0.0
    ),
    discriminator=StyleGAN2Discriminator(channel_base=512, channel_max=64),
    regularizers={"r1": R1(weight=0.1), "fsmr": FSMR()},
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.004),
    d_optimizer=Adam(lr=0.004),
    batch=32,
    total_kimg=10.0,
    ema_kimg=1.0,
    grid_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
