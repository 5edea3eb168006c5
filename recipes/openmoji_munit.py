"""Line drawings to colour and back, many colourings of each, learned without pairs: MUNIT on OpenMoji (Huang et al.
2018, arXiv 1804.04732).

Data and measures are those of recipes/openmoji_cyclegan.py, whose page says what the pictures are. Lines have one style
and colours have many: from lines to colour each seed is another colouring, and the style of any coloured emoji may be
taken; from colour to lines the style says next to nothing. The truth is one colouring of many, so l1 and ssim can
but rate a model down for the diversity that it is meant to have.

Smaller than the paper's: 32 px, 24 channels, one halving, so that contents keep thin lines, 2 residual blocks, two
scales of discriminators instead of three, batches of 4 instead of 1, four times the rate, which falls to zero over the
second half.

With GGDR, type also
  --discriminator unet --discriminator.encoder patch --discriminator.encoder.norm none \\
  --discriminator.encoder.channels 24 --discriminator.encoder.halvings 2 --discriminator.encoder.scales 2 \\
  --regularizers.ggdr ggdr --regularizers.ggdr.resolutions 16
"""

from openmoji_pix2pix import recipe as pix2pix

from ggdr.data.openmoji import OpenMoji
from ggdr.games.multimodal import MultimodalGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.ssim import SSIM
from ggdr.networks.munit import MUNITTranslatorConfig
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.content_reconstruction import ContentReconstruction
from ggdr.regularizers.identity import Identity
from ggdr.regularizers.style_reconstruction import StyleReconstruction
from ggdr.schedules.linear import Linear

GROUPS = ("smileys", "people", "animals", "food", "travel", "activities", "objects")
KIMG = 8.0
ADAM = Adam(lr=Linear(start=4e-4, kimg=KIMG / 2, hold_kimg=None), beta1=0.5, beta2=0.999, weight_decay=1e-4)

recipe = Recipe(
    data=OpenMoji(task="unpaired", size=32, groups=GROUPS, skin_tones=False, mirror=True),
    game=MultimodalGame(),
    generator=MUNITTranslatorConfig(channels=24, blocks=2, halvings=1, style_halvings=3, mlp_channels=128),
    discriminator=PatchDiscriminatorConfig(channels=24, halvings=2, norm="none", scales=2),
    loss=LeastSquares(weight=2.0),
    regularizers={
        "identity": Identity(weight=10.0),
        "content_reconstruction": ContentReconstruction(weight=1.0),
        "style_reconstruction": StyleReconstruction(weight=1.0),
    },
    metrics={"l1": MeanAbsoluteError(), "ssim": SSIM()},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=4,
    total_kimg=KIMG,
    ema_kimg=0.0,
    sample_kimg=2.0,
    checkpoint_kimg=4.0,
    metric_kimg=4.0,
    about=pix2pix.about,
)
