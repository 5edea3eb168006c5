"""Line drawings to colour and back by attention to what tells them apart: U-GAT-IT on OpenMoji (Kim et al. 2020,
arXiv 1907.10830).

Trained and measured as recipes/openmoji_cyclegan.py, whose page says what the pictures are. Lines have three channels
here: a generator's classifiers are to tell its source from its target, so it is shown both.

Smaller than there: 32 px, 24 channels, one halving, which keeps thin lines, 2 residual blocks before the attention and
2 after it. Batches of 4 instead of 1. Weights of `cycle` and `identity` are half of the paper's 10, since
`least_squares` halves its squares. That of `cam` is 10 and not 500: in so short a run the classifiers' gradient at 500
stays a hundred times all others, and of the lines nothing was left after 6 kimg.
"""

from openmoji_pix2pix import recipe as pix2pix

from ggdr.data.openmoji import OpenMoji
from ggdr.games.unpaired import UnpairedGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.ssim import SSIM
from ggdr.networks.ugatit import UGATITDiscriminatorConfig, UGATITTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.cam import ClassActivationMaps
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.identity import Identity
from ggdr.schedules.linear import Linear

GROUPS = ("smileys", "people", "animals", "food", "travel", "activities", "objects")
ADAM = Adam(lr=Linear(start=2e-4, kimg=3.5, hold_kimg=None), beta1=0.5, beta2=0.999, weight_decay=1e-4)

recipe = Recipe(
    data=OpenMoji(task="unpaired", size=32, groups=GROUPS, skin_tones=False, mirror=True, gray_lines=False),
    game=UnpairedGame(pool=0, first="d"),
    generator=UGATITTranslatorConfig(channels=24, blocks=2, halvings=1, light=False),
    discriminator=UGATITDiscriminatorConfig(channels=24, halvings=3, local_halvings=2),
    loss=LeastSquares(),
    regularizers={
        "cycle": CycleConsistency(weight=5.0),
        "identity": Identity(weight=5.0),
        "cam": ClassActivationMaps(weight=10.0),
    },
    metrics={"l1": MeanAbsoluteError(), "ssim": SSIM()},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=4,
    total_kimg=7.0,
    ema_kimg=0.0,
    sample_kimg=3.0,
    checkpoint_kimg=3.0,
    metric_kimg=3.0,
    about=pix2pix.about,
)
