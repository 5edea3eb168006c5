"""ADE20K, label maps to photographs of places, at 256 x 256 px: OASIS (Schönfeld et al. 2021, arXiv 2012.04781).

Target: what is made of the validation set's label maps
  FID               28.3
  mean IoU          48.8 %, of a segmentation of it (UperNet-101)
They are noted from memory of the paper's table 1, which was not at hand: look there before you rely on them.

Data: that of ade20k_spade, ADEChallengeData2016 with the folders images and annotations:
  ggdr train recipes/ade20k_oasis.py --data.source ADEChallengeData2016 --about.name ADE20K --out runs/ade20k

The discriminator tells the class of each pixel, or that it is a fake's, and LabelMix weighs 10; there is no VGG and no
feature matching. Batches of 32, 200 epochs (4,042 kimg), Adam with 1e-4 for the generator and 4e-4 for the
discriminator, betas 0 and 0.999, a running mean of the generator's weights of 0.9999 a step. Several photographs of one
map, a code for each class of it:
  ggdr translate runs/ade20k map.png --noise segment --seeds 0-3 --out made

With GGDR, type also
  --discriminator unet --discriminator.encoder oasis --regularizers.ggdr ggdr

Differences from the paper:
- Pixels of no class have zeros in all classes, for the generator too, and weigh nothing.
- The layers that read the label map are not spectrally normalized.
- Sizes of the networks and rates are noted from memory.
"""

from math import log

from ade20k_spade import recipe as spade

from ggdr.games.paired import PairedGame
from ggdr.losses.segmentation import Segmentation
from ggdr.networks.oasis import OASISDiscriminatorConfig, OASISTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.labelmix import LabelMix

BATCH = 32


def half_life(batch: int) -> float:
    """Thousands of images in which a running mean that keeps 0.9999 a step forgets half."""
    return batch / 1000 * log(0.5) / log(0.9999)


recipe = Recipe(
    data=spade.data,
    game=PairedGame(conditional=False),
    generator=OASISTranslatorConfig(),
    discriminator=OASISDiscriminatorConfig(),
    loss=Segmentation(),
    regularizers={"labelmix": LabelMix(weight=10.0)},
    metrics=spade.metrics,
    g_optimizer=Adam(lr=1e-4, beta1=0.0, beta2=0.999),
    d_optimizer=Adam(lr=4e-4, beta1=0.0, beta2=0.999),
    batch_size=BATCH,
    total_kimg=spade.total_kimg,
    ema_kimg=half_life(BATCH),
    ema_rampup=None,
    sample_kimg=50.0,
    sample_images=16,
    checkpoint_kimg=100.0,
    metric_kimg=500.0,
    about=About(
        sources=("",),
        name=spade.about.name,
        url=spade.about.url,
        images=spade.about.images,
        licence=spade.about.licence,
        limits=spade.about.limits,
        paper="2012.04781",
        table="table 1",
        metric="FID, and mean IoU of a segmentation of what is made of the validation set's maps",
        figures={"FID": "28.3", "mean IoU": "48.8"},
        count=20210,
        note=spade.about.note,
    ),
)
