"""Line drawings to colour, learned from pairs: pix2pix on OpenMoji (Isola et al. 2017, arXiv 1611.07004).

The lines of an emoji are the source, the emoji in colour is the target: `pip install 'ggdr[openmoji]'` brings them.
Flags, whose lines are a bare frame, symbols, and skin tones, which no line tells, are left out. A third of the drawings
is held out; grids and numbers are of that third, and measured against the truth.

Smaller than there: 32 px, 32 channels, patches that overlook the image. Batches of 8 instead of 1, which suits two
cores, so each image is normalized by itself, as a batch of 1 is. Both rates fall to zero over the second half, as in
the published program.
"""

from ggdr.data.openmoji import OpenMoji
from ggdr.games.paired import PairedGame
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.ssim import SSIM
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.l1 import L1Distance
from ggdr.schedules.linear import Linear

GROUPS = ("smileys", "people", "animals", "food", "travel", "activities", "objects")
falling = Linear(start=2e-4, kimg=20, hold_kimg=None)

recipe = Recipe(
    data=OpenMoji(task="lines_to_colour", size=32, groups=GROUPS, skin_tones=False, mirror=True),
    game=PairedGame(),
    generator=UNetTranslatorConfig(channels=32, norm="instance"),
    discriminator=PatchDiscriminatorConfig(channels=32, halvings=2),
    regularizers={"l1": L1Distance()},
    metrics={"l1": MeanAbsoluteError(), "ssim": SSIM()},
    g_optimizer=Adam(lr=falling, beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=falling, beta1=0.5, beta2=0.999),
    batch_size=8,
    total_kimg=40.0,
    ema_kimg=0.0,
    sample_kimg=10.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
    about=About(
        sources=("openmoji",),
        name="OpenMoji",
        url="https://openmoji.org",
        images="emoji of OpenMoji 17, their lines and their colours, drawn from SVG over white",
        licence="CC BY-SA 4.0; all emoji are designed by OpenMoji, the open-source emoji and icon project",
        limits="Emoji of one style. A demonstration: what it makes of other drawings nobody has looked at.",
    ),
)
