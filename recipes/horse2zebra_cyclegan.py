"""Horses to zebras and back at 256 x 256 px: CycleGAN (Zhu et al. 2017, arXiv 1703.10593).

Target: FID of the translated test images, horse to zebra / zebra to horse; the paper has none
  published weights                 62.111 / 138.646
  trained again by mmagic           64.5225 / 141.1571
  published weights, no identity    77.202 / 137.050
all as mmagic measured them (configs/cyclegan/README.md). The third is `--regularizers.identity none`.

Data: 1,067 horses and 1,334 zebras of ImageNet, 120 and 140 more for tests. As it stands the recipe takes
`huggan/horse2zebra`, in which horses repeat until they are as many as zebras: what repeats is left out. Of the
authors' folders trainA, trainB, testA and testB:
  ggdr train recipes/horse2zebra_cyclegan.py --data.source horse2zebra --about.name horse2zebra

Weights are the published program's: 10 for a cycle, 5 for identity, beside squares that are not halved. Here
`least_squares` halves both turns, so its weight is 2. D's loss, which the program does halve, is thereby twice as
large, which Adam does not notice.

The published setting: one image of each domain a step, 200 epochs of the larger domain (266.8 kimg), of which the
second half brings the rate to zero; D sees fakes of a pool of the last 50; no running mean. If colours turn to their
negatives early they never turn back: begin again with another `--seed`.

With GGDR, type also
  --game.pool 0 --discriminator unet --discriminator.encoder patch --regularizers.ggdr ggdr
(it compares with the maps that fakes are made by, which a pool does not keep).

Differences from the published program:
- The rate falls with each step; there, with each epoch.
- D's turn comes after G's, and sees what G makes once it has learned; there, what it made before.
- Images are resized to 286 px by an antialiased Lanczos filter, there by a bicubic one.

Every 20 kimg the translated test images are measured by what needs no weights; FID by `--metrics.fid fid`.
"""

from ggdr.data.domains import Domains
from ggdr.games.unpaired import UnpairedGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.identity import Identity
from ggdr.schedules.linear import Linear

KIMG = 266.8
ADAM = Adam(lr=Linear(start=2e-4, kimg=KIMG / 2, hold_kimg=None), beta1=0.5, beta2=0.999)

recipe = Recipe(
    data=Domains(source="huggan/horse2zebra", size=256, load_size=286, flip=True, channels=3),
    game=UnpairedGame(pool=50),
    generator=ResnetTranslatorConfig(blocks=9),
    discriminator=PatchDiscriminatorConfig(),
    loss=LeastSquares(weight=2.0),
    regularizers={"cycle": CycleConsistency(weight=10.0), "identity": Identity(weight=5.0)},
    metrics={"swd": SlicedWasserstein()},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=1,
    total_kimg=KIMG,
    ema_kimg=0.0,
    sample_kimg=10.0,
    checkpoint_kimg=20.0,
    metric_kimg=20.0,
    about=About(
        sources=("huggan/horse2zebra",),
        name="horse2zebra",
        url="https://efrosgans.eecs.berkeley.edu/cyclegan/datasets",
        images="photographs of wild horses and of zebras, which ImageNet found on the web",
        licence="not known here; the photographs were found on the web, and the rights are with those who made them",
        limits="Whole animals, mostly outdoors. Riders and carriages get stripes as well: there are none among zebras.",
        paper="1703.10593",
        table="its authors' weights, as mmagic measured them",
        metric="FID of translated test images, horse to zebra / zebra to horse",
        figures={
            "published weights": "62.111 / 138.646",
            "trained again by mmagic": "64.5225 / 141.1571",
            "published weights, no identity": "77.202 / 137.050",
        },
        note="The paper prints no FID. The test set is the authors' 120 horses and 140 zebras.",
    ),
)
