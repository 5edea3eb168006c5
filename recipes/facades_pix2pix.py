"""CMP Facades, label maps to photographs, at 256 x 256 px: pix2pix (Isola et al. 2017, arXiv 1611.07004).

Target: FID of the photographs made of the test set's label maps; the paper has none
  published weights          119.135
  trained again by mmagic    124.9773
both as mmagic measured them (configs/pix2pix/README.md).

Data: 400 pairs to train on, 100 and 106 more. `huggan/facades` keeps all 606 in one split, photographs first: 206 of
them are held out, not the ones that the numbers above are of. With the authors' folders train, val and test, where
photograph and label map lie side by side, type
  ggdr train recipes/facades_pix2pix.py --data.source facades --data.hold-out 0 --about.name facades

Weights are the paper's: 100 for the mean absolute difference beside -log D. On D's turn the published program takes
half of the loss, which Adam does not notice.

The published setting: one pair a step, 200 epochs (80 kimg), of which the second half brings the rate to zero: the
decay is the program's, the paper has a constant rate. At test the generator runs as in training: dropout stays on, and
batch normalization, of one image, is instance normalization.

With GGDR, type also
  --discriminator unet --discriminator.encoder patch --discriminator.encoder.norm batch --regularizers.ggdr ggdr

Differences from the published program:
- The rate falls with each step; there, with each epoch.
- D's turn and G's turn draw their dropout apart: D and G meet in two fakes of one label map, not in the same one.
- Pictures are resized to 286 px by an antialiased Lanczos filter, there by a bicubic one.

Every 10 kimg the held-out pairs are measured by what needs no weights; FID by `--metrics.fid fid`.
"""

from ggdr.data.pairs import Pairs
from ggdr.games.paired import PairedGame
from ggdr.losses.non_saturating import NonSaturating
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.ssim import SSIM
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.unet_translator import UNetTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.l1 import L1Distance
from ggdr.schedules.linear import Linear

KIMG = 80.0
ADAM = Adam(lr=Linear(start=2e-4, kimg=KIMG / 2, hold_kimg=None), beta1=0.5, beta2=0.999)

recipe = Recipe(
    data=Pairs(
        source="huggan/facades", direction="b_to_a", hold_out=206, size=256, load_size=286, flip=True, channels=3
    ),
    game=PairedGame(),
    generator=UNetTranslatorConfig(),
    discriminator=PatchDiscriminatorConfig(norm="batch"),
    loss=NonSaturating(),
    regularizers={"l1": L1Distance(weight=100.0)},
    metrics={"l1": MeanAbsoluteError(), "ssim": SSIM(), "swd": SlicedWasserstein()},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=1,
    total_kimg=KIMG,
    ema_kimg=0.0,
    sample_kimg=10.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
    about=About(
        sources=("huggan/facades",),
        name="facades",
        url="https://cmp.felk.cvut.cz/~tylecr1/facade",
        images="photographs of facades and maps of their parts drawn by hand (CMP Facade Database), as pix2pix's"
        " authors cut them to squares",
        licence="not known here: look for it on the set's page",
        limits="Rectified facades of a few cities, most of them in one style.",
        paper="1611.07004",
        table="its authors' weights, as mmagic measured them",
        metric="FID of photographs made of the test set's maps",
        figures={"published weights": "119.135", "trained again by mmagic": "124.9773"},
        count=400,
        note="The paper prints no FID. The test set is the authors' 106 pairs.",
    ),
)
