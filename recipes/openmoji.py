"""Faces in colour on a laptop: StyleGAN2 with GGDR and ADA on OpenMoji's smileys, which need no download.

The colour counterpart of `recipes/digits.py`, for two CPU cores: 32 px, 64 channels at 16 px and below, 32 at 32 px, no
style mixing, no path length. The 170 smileys, cats and hearts of Unicode's first group are mirrored, and ADA keeps D
from learning so few by heart. GGDR redraws the 8 px maps, a quarter of the image, as the paper does for small images
(arXiv 2207.13320). Gamma and learning rate are those of the digits. `--data.groups animals food` takes others, and
without groups it is all 4,495, which ask for far longer. Without GGDR: `--regularizers.ggdr none`.
"""

from ggdr.augment.ada import ADA
from ggdr.data.openmoji import OpenMoji
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.r1 import R1

recipe = Recipe(
    data=OpenMoji(size=32, groups=("smileys",), part="all", mirror=True),
    generator=StyleGAN2GeneratorConfig(
        z_dim=64, w_dim=64, mapping_layers=2, channel_base=1024, channel_max=64, style_mixing=0.0
    ),
    discriminator=UNetDiscriminatorConfig(encoder=StyleGAN2DiscriminatorConfig(channel_base=1024, channel_max=64)),
    regularizers={"r1": R1(weight=0.1), "ggdr": GGDR(resolutions=(8,))},
    augment=ADA(speed_kimg=50.0),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.004),
    d_optimizer=Adam(lr=0.004),
    batch_size=32,
    total_kimg=400.0,
    ema_kimg=5.0,
    sample_kimg=20.0,
    checkpoint_kimg=20.0,
    metric_kimg=40.0,
    about=About(
        sources=("openmoji",),
        name="OpenMoji",
        url="https://openmoji.org",
        images="emoji of OpenMoji 17 in colour, drawn from SVG over white",
        licence="CC BY-SA 4.0; all emoji are designed by OpenMoji, the open-source emoji and icon project",
        limits="Emoji of one style. A demonstration: what it makes beyond them nobody has looked at.",
    ),
)
