"""ADE20K, label maps to photographs of places, at 256 x 256 px: SPADE (Park et al. 2019, arXiv 1903.07291).

Target: what is made of the validation set's label maps
  FID               33.9
  mean IoU          38.5 %, pixel accuracy 79.9 %, of a segmentation of it (UperNet-101)
They are noted from memory of the paper's table 1, which was not at hand: look there before you rely on them. The
authors gave no program that measures, and others measure other numbers.

Data: ADEChallengeData2016, https://groups.csail.mit.edu/vision/datasets/ADE20K, with the folders images and
annotations; 20,210 pairs to train on, 2,000 of validation for tests:
  ggdr train recipes/ade20k_spade.py --data.source ADEChallengeData2016 --about.name ADE20K --out runs/ade20k
Label maps are kept pixel by pixel: numbers 1 to 150 are classes 0 to 149, and 0 belongs to none.

Weights are the paper's: hinge, feature matching and VGG's perceptual distance by 10, over two discriminators, of which
the second sees the image at half of its size. 200 epochs (4,042 kimg) of batches of 32, over the second half of which
the rates fall to zero; Adam with 1e-4 for the generator and 4e-4 for the discriminators, betas 0 and 0.9. VGG-19 is
fetched once, at the start; where it cannot be, `--regularizers.perceptual none` leaves it out.

Styles of pictures, by the paper's image encoder and its divergence of 0.05:
  --game.encoder conv --game.encoder.channels 64 --game.encoder.halvings 6 --game.encoder.norm instance
  --game.encoder.stochastic --regularizers.kl kl
With GGDR, type also
  --discriminator unet --discriminator.encoder patch --discriminator.encoder.scales 2
  --discriminator.encoder.spectral --regularizers.ggdr ggdr

Differences from the paper:
- Pixels of no class have zeros in all classes; the paper has a class for them.
- Losses and feature matching are sums over the two discriminators.
- VGG's five layers weigh the same.
- Sizes of the networks and rates are noted from memory.
"""

from ggdr.data.pairs import LabelMaps, Pairs
from ggdr.games.paired import PairedGame
from ggdr.losses.hinge import Hinge
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.ssim import SSIM
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.spade import SPADETranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.paired_feature_matching import PairedFeatureMatching
from ggdr.regularizers.perceptual import Perceptual
from ggdr.schedules.linear import Linear

KIMG = 200 * 20.21
VGG_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def falling(start: float, kimg: float) -> Adam:
    """Adam, whose rate falls to zero over the second half."""
    return Adam(lr=Linear(start=start, kimg=kimg / 2, hold_kimg=None), beta1=0.0, beta2=0.9)


recipe = Recipe(
    data=Pairs(maps=LabelMaps(of="a", classes=150, mapping="shift"), size=256, flip=True),
    game=PairedGame(),
    generator=SPADETranslatorConfig(spectral_all=True),
    discriminator=PatchDiscriminatorConfig(scales=2, spectral=True),
    loss=Hinge(),
    regularizers={
        "paired_feature_matching": PairedFeatureMatching(weight=10.0),
        "perceptual": Perceptual(weight=10.0, layers=VGG_LAYERS, distance="l1"),
    },
    metrics={"l1": MeanAbsoluteError(), "ssim": SSIM(), "swd": SlicedWasserstein()},
    g_optimizer=falling(1e-4, KIMG),
    d_optimizer=falling(4e-4, KIMG),
    batch_size=32,
    total_kimg=KIMG,
    ema_kimg=0.0,
    sample_kimg=50.0,
    sample_images=16,
    checkpoint_kimg=100.0,
    metric_kimg=500.0,
    about=About(
        sources=("",),
        name="ADE20K",
        url="https://groups.csail.mit.edu/vision/datasets/ADE20K",
        images="photographs of rooms and places outdoors, with label maps of 150 classes drawn by hand",
        licence="not known here: look for it on the set's page",
        limits="Places with 150 kinds of things. A photograph of nothing that was there.",
        paper="1903.07291",
        table="table 1",
        metric="FID, mean IoU and pixel accuracy of a segmentation of what is made of the validation set's maps",
        figures={"FID": "33.9", "mean IoU": "38.5", "pixel accuracy": "79.9"},
        count=20210,
        note="They are noted from memory of that table: look there before you rely on them.",
    ),
)
