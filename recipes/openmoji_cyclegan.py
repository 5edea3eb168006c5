"""Line drawings to colour and back, learned without pairs: CycleGAN on OpenMoji (Zhu et al. 2017, arXiv 1703.10593).

One third of the drawings is seen as lines, another third in colour, none as both: `pip install 'ggdr[openmoji]'` brings
them. The last third is held out, and there the true pairs are known: how near an unpaired method comes to them is
measured, as no photographs allow. Flags, symbols and skin tones are left out.

Smaller than there: 32 px, 32 channels, 3 residual blocks. Batches of 4 instead of 1. No identity term: lines are gray,
and a generator of colour cannot be shown colour. `least_squares` halves both players' squares and the paper's program
those of D alone, so the cycle's weight is half of its 10. Unlike there, D sees the fakes that G makes after its update.
"""

from openmoji_pix2pix import recipe as pix2pix

from ggdr.data.openmoji import OpenMoji
from ggdr.games.unpaired import UnpairedGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.ssim import SSIM
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.schedules.linear import Linear

GROUPS = ("smileys", "people", "animals", "food", "travel", "activities", "objects")

recipe = Recipe(
    data=OpenMoji(task="unpaired", size=32, groups=GROUPS, skin_tones=False, mirror=True),
    game=UnpairedGame(),
    generator=ResnetTranslatorConfig(channels=32, blocks=3),
    discriminator=PatchDiscriminatorConfig(channels=32, halvings=2),
    loss=LeastSquares(),
    regularizers={"cycle": CycleConsistency(weight=5.0)},
    metrics={"l1": MeanAbsoluteError(), "ssim": SSIM()},
    g_optimizer=Adam(lr=Linear(start=2e-4, kimg=5, hold_kimg=None), beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=Linear(start=2e-4, kimg=5, hold_kimg=None), beta1=0.5, beta2=0.999),
    batch_size=4,
    total_kimg=12.0,
    ema_kimg=0.0,
    sample_kimg=4.0,
    checkpoint_kimg=4.0,
    metric_kimg=4.0,
    about=pix2pix.about,
)
