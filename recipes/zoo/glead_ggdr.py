"""GLeaD and GGDR together: one decoder of D serves both (Bai et al. 2023, arXiv 2212.03752; arXiv 2207.13320).

Smaller than there: 32 px gray digits, 10 kimg, 32 channels at most; maps of 8 px, a quarter of the image, as for
small images elsewhere; the error of pixels alone, without a perceptual one, at weight 1: at 10 it slows G down.
"""

from ggdr.data.digits import Digits
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.glead import GLeaD
from ggdr.regularizers.r1 import R1

recipe = Recipe(
    data=Digits(size=32),
    generator=StyleGAN2GeneratorConfig(
        z_dim=64, w_dim=64, mapping_layers=2, channel_base=256, channel_max=32, style_mixing=0.0
    ),
    discriminator=UNetDiscriminatorConfig(encoder=StyleGAN2DiscriminatorConfig(channel_base=256, channel_max=32)),
    regularizers={"r1": R1(weight=10.0), "glead": GLeaD(weight=1.0, resolutions=(8,)), "ggdr": GGDR(resolutions=(8,))},
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
