"""Line drawings to colour, learned without pairs and one way: FastCUT on OpenMoji (Park et al. 2020,
arXiv 2007.15651).

As recipes/openmoji_cut.py, whose page says what is smaller than in the paper; half as much work a step, and longer.
`nce` has weight 1, a fifth of the paper's 10 beside squares that `least_squares` halves: at the paper's, D tells all
fakes from the second kimg on, `nce` keeps the generator from doing anything about it, and outlines are all that is seen
after 12 kimg, with a tinge of pink; others saw the like on horses (recipes/horse2zebra_fastcut.py).
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
from ggdr.regularizers.nce import PatchNCE
from ggdr.schedules.linear import Linear

GROUPS = ("smileys", "people", "animals", "food", "travel", "activities", "objects")

recipe = Recipe(
    data=OpenMoji(task="unpaired", size=32, gray_lines=False, groups=GROUPS, skin_tones=False, mirror=True),
    game=OneWayGame(flip_equivariance=True),
    generator=ResnetTranslatorConfig(channels=32, blocks=3, antialias=True, init="xavier"),
    discriminator=PatchDiscriminatorConfig(channels=32, halvings=2, antialias=True, init="xavier"),
    loss=LeastSquares(),
    regularizers={"nce": PatchNCE()},
    metrics={"l1": MeanAbsoluteError(), "ssim": SSIM()},
    g_optimizer=Adam(lr=Linear(start=2e-4, kimg=6, hold_kimg=None), beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=Linear(start=2e-4, kimg=6, hold_kimg=None), beta1=0.5, beta2=0.999),
    batch_size=4,
    total_kimg=12.0,
    ema_kimg=0.0,
    sample_kimg=4.0,
    checkpoint_kimg=4.0,
    metric_kimg=4.0,
    about=pix2pix.about,
)
