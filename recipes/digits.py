"""Handwritten digits on a laptop: StyleGAN2 with GGDR on scikit-learn's 1,797 scans, which need no download.

The demo (`make demo`), small enough for two CPU cores: 32 px, 64 channels at 8 px and below, 16 at 32 px, no style
mixing, no path length. GGDR redraws the 8 px maps, a quarter of the image, as the paper does for small images
(arXiv 2207.13320). Gamma 0.1: the rule of thumb, 0.0002 * 32 * 32 / 32 = 0.0064, is meant for photographs, and so few
and so plain images ask for a smoother discriminator. The learning rate is above the paper's 0.0025, for a short run.
"""

from ggdr.data.digits import Digits
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.r1 import R1

recipe = Recipe(
    data=Digits(size=32),
    generator=StyleGAN2GeneratorConfig(
        z_dim=64, w_dim=64, mapping_layers=2, channel_base=512, channel_max=64, style_mixing=0.0
    ),
    discriminator=UNetDiscriminatorConfig(encoder=StyleGAN2DiscriminatorConfig(channel_base=512, channel_max=64)),
    regularizers={"r1": R1(weight=0.1), "ggdr": GGDR(resolutions=(8,))},
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.004),
    d_optimizer=Adam(lr=0.004),
    batch_size=32,
    total_kimg=70.0,
    ema_kimg=2.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
    about=About(
        sources=("digits",),
        name="scikit-learn's digits",
        url="https://scikit-learn.org/stable/modules/generated/sklearn.datasets.load_digits.html",
        images="handwritten digits of 13 people, scanned, 8 x 8 px, enlarged: scikit-learn's copy of the test"
        " part of UCI's Optical Recognition of Handwritten Digits (Alpaydin and Kaynak 1998)",
        licence="CC BY 4.0, as UCI lists it",
        limits="Ten digits, as 13 people wrote them into a form in the 1990s: no letters, no other hands, no other"
        " scripts. A demonstration, too small for anything else.",
    ),
)
