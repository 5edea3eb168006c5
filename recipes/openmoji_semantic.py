"""True label maps as the supervision of a discriminator: the experiment that GGDR came from, on OpenMoji.

Lee et al. 2022 (arXiv 2207.13320, sec. 3) give an unconditional D the label map of each real to tell, pixel by pixel,
find that it helps, and then put G's feature maps in the place of maps that few data sets have. Emoji have exact ones:
28 colours, background and lines. G is shown no map. Three arms of one recipe:

    ggdr train recipes/openmoji_semantic.py
    ggdr train recipes/openmoji_semantic.py --regularizers.semantic none --regularizers.ggdr ggdr
    ggdr train recipes/openmoji_semantic.py --regularizers.semantic none

`--regularizers.semantic.fakes` has D tell fakes' pixels as well, as OASIS does; both terms together share one decoder.

Smaller than the paper's: StyleGAN2 at 32 px as in `recipes/digits.py`, whose learning rate this has, no style mixing,
no path length. Emoji in five skin tones, near repeats, are left out; the rest, a third of which is held out, are 1,619,
so they are mirrored and ADA is on. Gamma is ours: the rule of thumb, 0.0064, is meant for photographs. The paper gives
no weight for the maps, which is 1 here; that all classes weigh the same is ours. On one thread of an Intel Xeon a kimg
takes 7.1 s of CPU time with maps, 5.9 with GGDR, 5.7 with neither: about 24, 20 and 19 minutes in all.
"""

from ggdr.augment.ada import ADA
from ggdr.data.openmoji import OpenMoji
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.semantic import Semantic

recipe = Recipe(
    data=OpenMoji(task="label_map", size=32, skin_tones=False, mirror=True),
    generator=StyleGAN2GeneratorConfig(
        z_dim=64, w_dim=64, mapping_layers=2, channel_base=512, channel_max=64, style_mixing=0.0
    ),
    discriminator=UNetDiscriminatorConfig(encoder=StyleGAN2DiscriminatorConfig(channel_base=512, channel_max=64)),
    regularizers={"r1": R1(weight=0.1), "semantic": Semantic()},
    augment=ADA(speed_kimg=100.0),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.004),
    d_optimizer=Adam(lr=0.004),
    batch_size=32,
    total_kimg=200.0,
    ema_kimg=5.0,
    sample_kimg=20.0,
    checkpoint_kimg=20.0,
    metric_kimg=20.0,
    about=About(
        sources=("openmoji",),
        name="OpenMoji",
        url="https://openmoji.org",
        images="emoji of OpenMoji 17 in colour, drawn from SVG over white",
        licence="CC BY-SA 4.0; all emoji are designed by OpenMoji, the open-source emoji and icon project",
        limits="Emoji of one style. A demonstration: what it makes beyond them nobody has looked at.",
    ),
)
