"""Cityscapes, label maps to photographs, at 512 x 1024 and then 1024 x 2048 px: pix2pixHD (Wang et al. 2018, arXiv
1711.11585).

Target: segmentation of the photographs made of the validation set's label maps at 1024 x 2048 px (PSPNet)
  pixel accuracy    83.78
  mean IoU          0.6389
Both are noted from memory of the paper's table 1, which was not at hand: look there before you rely on them.

Data: gtFine and leftImg8bit of Cityscapes, https://www.cityscapes-dataset.com, in one folder; 2,975 pairs to train on,
500 of the split val for tests:
  ggdr train recipes/cityscapes_pix2pixhd.py --data.source cityscapes --about.name Cityscapes --out runs/global
G and D see a channel for each of the 34 labels, and one for the edges between instances.

The paper trains from coarse to fine. The command above trains the global generator alone at half of the size; then
  ggdr train recipes/cityscapes_pix2pixhd.py --data.source cityscapes --about.name Cityscapes --out runs/whole
    --data.size 1024 2048 --generator.enhancers 1 --generator.freeze-global-kimg 59.5 --init-from runs/global
puts an enhancer around it, which learns alone for 20 epochs, and then both do: how long it is alone in the paper is not
known here. Discriminators of smaller images go on with larger ones, as far as they fit.

Weights are the paper's: feature matching and VGG's perceptual distance by 10 beside squares, over three discriminators,
which see the image, its half and its quarter. `least_squares` halves squares, so its weight is 2. 200 epochs (595 kimg)
of one pair a step, of which the second half brings the rate to zero. VGG-19 is fetched once, at the start; where it
cannot be, `--regularizers.perceptual none` is what the paper calls "without VGG loss", its weaker variant.

With GGDR, type also
  --discriminator unet --discriminator.encoder patch --discriminator.encoder.scales 3 --regularizers.ggdr ggdr

Differences from the paper:
- There is no encoder of features of instances, by which the paper draws several photographs of one label map.
- The global generator sees means of 2 x 2 pixels of one-hot labels once there is an enhancer, and before it label maps
  that were made smaller pixel by pixel.
"""

from ggdr.data.domains import Domain
from ggdr.data.pairs import LabelMaps, Pairs
from ggdr.games.paired import PairedGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.ssim import SSIM
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.pix2pixhd import Pix2PixHDTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.paired_feature_matching import PairedFeatureMatching
from ggdr.regularizers.perceptual import Perceptual
from ggdr.schedules.linear import Linear

KIMG = 595.0
ADAM = Adam(lr=Linear(start=2e-4, kimg=KIMG / 2, hold_kimg=None), beta1=0.5, beta2=0.999)
VGG_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")

recipe = Recipe(
    data=Pairs(
        a=Domain(files="*_labelIds.png"),
        b=Domain(files="*_leftImg8bit.png"),
        maps=LabelMaps(of="a", classes=34, instances=Domain(files="*_instanceIds.png")),
        size=(512, 1024),
        flip=True,
    ),
    game=PairedGame(),
    generator=Pix2PixHDTranslatorConfig(),
    discriminator=PatchDiscriminatorConfig(scales=3),
    loss=LeastSquares(weight=2.0),
    regularizers={
        "paired_feature_matching": PairedFeatureMatching(weight=10.0),
        "perceptual": Perceptual(weight=10.0, layers=VGG_LAYERS, distance="l1"),
    },
    metrics={"l1": MeanAbsoluteError(), "ssim": SSIM(), "swd": SlicedWasserstein()},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=1,
    total_kimg=KIMG,
    ema_kimg=0.0,
    sample_kimg=25.0,
    sample_images=8,
    checkpoint_kimg=25.0,
    metric_kimg=100.0,
    about=About(
        sources=("",),
        name="Cityscapes",
        url="https://www.cityscapes-dataset.com",
        images="photographs out of a car in German and neighbouring cities, with label maps drawn by hand",
        licence="not known here: look for it on the set's page; it asks for a registration",
        limits="Streets by day in dry weather, seen from a car. A photograph of nothing that was there.",
        paper="1711.11585",
        table="table 1",
        metric="pixel accuracy, mean IoU of a segmentation (PSPNet) of what is made of the validation set's maps",
        figures={"pixel accuracy": "83.78", "mean IoU": "0.6389"},
        count=2975,
        note="They are noted from memory of that table: look there before you rely on them.",
    ),
)
