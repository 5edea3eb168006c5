"""Label maps to colour pictures: SPADE on OpenMoji (Park et al. 2019, arXiv 1903.07291).

A map of an emoji's 28 colours, its background and its lines is the source, the emoji the target: `pip install
'ggdr[openmoji]'` brings them. A third of the drawings is held out; grids and numbers are of that third, and measured
against the truth. The map reaches the generator by its normalizations alone, so that flat areas keep their class, which
normalization of an image by itself would take out.

Smaller than there: 32 px, 16 channels, 32 that read the map in each normalization, and a discriminator of 32 that
overlooks the image; the rates are 5e-4 and 1e-3, the discriminator's above the generator's as in the paper. There is no
VGG; and no code, since the map says nearly all: the first maps are made of the label map, as in the published program's
default. With an encoder of styles, type
  --generator.z-dim 16 --game.encoder conv --game.encoder.stochastic --regularizers.kl kl
"""

from openmoji_pix2pix import recipe as pix2pix

from ggdr.data.openmoji import OpenMoji
from ggdr.games.paired import PairedGame
from ggdr.losses.hinge import Hinge
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.mean_iou import MeanIoU
from ggdr.metrics.ssim import SSIM
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.spade import SPADETranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.paired_feature_matching import PairedFeatureMatching

recipe = Recipe(
    data=OpenMoji(task="label_map", size=32, groups=pix2pix.data.groups, skin_tones=False, mirror=True),
    game=PairedGame(),
    generator=SPADETranslatorConfig(channels=16, z_dim=0, hidden=32),
    discriminator=PatchDiscriminatorConfig(channels=32, halvings=2, scales=2, spectral=True),
    loss=Hinge(),
    regularizers={"paired_feature_matching": PairedFeatureMatching(weight=10.0)},
    metrics={"mean_iou": MeanIoU(), "l1": MeanAbsoluteError(), "ssim": SSIM()},
    g_optimizer=Adam(lr=5e-4, beta1=0.0, beta2=0.9),
    d_optimizer=Adam(lr=1e-3, beta1=0.0, beta2=0.9),
    batch_size=8,
    total_kimg=16.0,
    ema_kimg=0.5,
    sample_kimg=4.0,
    checkpoint_kimg=4.0,
    metric_kimg=4.0,
    about=pix2pix.about,
)
