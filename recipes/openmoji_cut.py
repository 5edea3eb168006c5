"""Line drawings to colour, learned without pairs and one way: CUT on OpenMoji (Park et al. 2020, arXiv 2007.15651).

The pictures are those of recipes/openmoji_cyclegan.py, whose page says what they are; lines are three equal channels
here, since one encoder looks at lines and at colours. Colours to lines are not learned: that is another run.

Smaller than there: 32 px, 32 channels, 3 residual blocks, after the first two of which maps are compared. Batches of 4
instead of 1. `least_squares` halves both players' squares and the paper's program those of D alone, so the two terms
have half of their weights, which are a half each.

What is seen after its 8 kimg: shapes are kept and filled, faces are yellow, and most other areas are mottled in the
colours of the set, since nothing says which colour belongs to which emoji.
"""

from openmoji_pix2pix import recipe as pix2pix

from ggdr.data.openmoji import OpenMoji
from ggdr.games.one_way import OneWayGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.ssim import SSIM
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.nce import IdentityPatchNCE, PatchNCE
from ggdr.schedules.linear import Linear

GROUPS = ("smileys", "people", "animals", "food", "travel", "activities", "objects")

recipe = Recipe(
    data=OpenMoji(task="unpaired", size=32, gray_lines=False, groups=GROUPS, skin_tones=False, mirror=True),
    game=OneWayGame(),
    generator=ResnetTranslatorConfig(channels=32, blocks=3, antialias=True, init="xavier"),
    discriminator=PatchDiscriminatorConfig(channels=32, halvings=2, antialias=True, init="xavier"),
    loss=LeastSquares(),
    regularizers={"nce": PatchNCE(weight=0.25), "nce_identity": IdentityPatchNCE(weight=0.25)},
    metrics={"l1": MeanAbsoluteError(), "ssim": SSIM()},
    g_optimizer=Adam(lr=Linear(start=2e-4, kimg=4, hold_kimg=None), beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=Linear(start=2e-4, kimg=4, hold_kimg=None), beta1=0.5, beta2=0.999),
    batch_size=4,
    total_kimg=8.0,
    ema_kimg=0.0,
    sample_kimg=2.0,
    checkpoint_kimg=2.0,
    metric_kimg=2.0,
    about=pix2pix.about,
)
