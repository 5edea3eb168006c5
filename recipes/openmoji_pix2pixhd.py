"""Label maps to colour pictures, coarse to fine: pix2pixHD on OpenMoji (Wang et al. 2018, arXiv 1711.11585).

A map of an emoji's 28 colours, its background and its lines is the source, the emoji the target: `pip install
'ggdr[openmoji]'` brings them. A third of the drawings is held out; grids and numbers are of that third, and measured
against the truth. A label map says the colour of each pixel, so what is learned here is where lines go, and edges.

Smaller than there: 64 px, 16 channels, 3 halvings, 3 residual blocks, two discriminators instead of three, batches of
4 instead of 1; no maps of instances, and no VGG. The generator and its one enhancer are trained at once. As in the
paper, from coarse to fine, these two commands do it:
  ggdr train recipes/openmoji_pix2pixhd.py --data.size 32 --generator.enhancers 0 --out runs/global
  ggdr train recipes/openmoji_pix2pixhd.py --generator.freeze-global-kimg 2 --init-from runs/global --out runs/whole
"""

from openmoji_pix2pix import recipe as pix2pix

from ggdr.data.openmoji import OpenMoji
from ggdr.games.paired import PairedGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.ssim import SSIM
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.pix2pixhd import Pix2PixHDTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.paired_feature_matching import PairedFeatureMatching
from ggdr.schedules.linear import Linear

KIMG = 16.0
ADAM = Adam(lr=Linear(start=2e-4, kimg=KIMG / 2, hold_kimg=None), beta1=0.5, beta2=0.999)

recipe = Recipe(
    data=OpenMoji(task="label_map", size=64, groups=pix2pix.data.groups, skin_tones=False, mirror=True),
    game=PairedGame(),
    generator=Pix2PixHDTranslatorConfig(channels=16, halvings=3, blocks=3, enhancers=1, enhancer_blocks=2),
    discriminator=PatchDiscriminatorConfig(channels=16, halvings=2, scales=2),
    loss=LeastSquares(weight=2.0),
    regularizers={"paired_feature_matching": PairedFeatureMatching(weight=10.0)},
    metrics={"l1": MeanAbsoluteError(), "ssim": SSIM()},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=4,
    total_kimg=KIMG,
    ema_kimg=0.0,
    sample_kimg=4.0,
    checkpoint_kimg=4.0,
    metric_kimg=4.0,
    about=pix2pix.about,
)
