"""Horses to zebras at 256 x 256 px, one way: CUT (Park et al. 2020, arXiv 2007.15651, table 1).

Target: FID of the translated test horses
  horse to zebra    45.5
Other sets of the same table: cat to dog 76.2, labels to photographs of Cityscapes 56.4; CycleGAN has 77.2, 85.9 and
76.3 there. All are noted from memory of the paper, which was not at hand: look there before you rely on them.

Data: 1,067 horses and 1,334 zebras of ImageNet, 120 and 140 more for tests. As it stands the recipe takes
`huggan/horse2zebra`, in which horses repeat until they are as many as zebras: what repeats is left out. Of the
authors' folders trainA, trainB, testA and testB:
  ggdr train recipes/horse2zebra_cut.py --data.source horse2zebra --about.name horse2zebra
Zebras to horses are another run.

Weights are the published program's: a half for places of sources and fakes, `nce`, and a half for places of reals and
what becomes of them, `nce_identity`, beside squares that are not halved. Here `least_squares` halves both turns, so its
weight is 2. D's loss, which the program does halve, is thereby twice as large, which Adam does not notice. The paper's
own objective has twice these two weights.

The published setting: one image of each domain a step, 400 epochs of the larger domain (533.6 kimg), of which the
second half brings the rate to zero; 256 places of five maps of the encoder, codes of 256 numbers, temperature 0.07;
blurs instead of strides; Xavier's weights with a gain of 0.02; no pool, no running mean. The generator has 11.38 M
weights, the projector 0.56 M, which is in no model. recipes/horse2zebra_fastcut.py is half as long and needs less
memory.

With GGDR, type also
  --discriminator unet --discriminator.encoder patch --discriminator.encoder.antialias --regularizers.ggdr ggdr

Differences from the published program:
- The rate falls with each step; there, with each epoch.
- G makes its images again on its own turn, after D's; they are the same, since G has not moved.
- Images are resized to 286 px by an antialiased Lanczos filter, there by a bicubic one.

Every 20 kimg the translated test horses are measured by what needs no weights; FID by `--metrics.fid fid`.
"""

from ggdr.data.domains import Domains
from ggdr.games.one_way import OneWayGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.nce import IdentityPatchNCE, PatchNCE
from ggdr.schedules.linear import Linear

KIMG = 533.6
ADAM = Adam(lr=Linear(start=2e-4, kimg=KIMG / 2, hold_kimg=None), beta1=0.5, beta2=0.999)

recipe = Recipe(
    data=Domains(source="huggan/horse2zebra", size=256, load_size=286, flip=True, channels=3),
    game=OneWayGame(),
    generator=ResnetTranslatorConfig(blocks=9, antialias=True, init="xavier"),
    discriminator=PatchDiscriminatorConfig(antialias=True, init="xavier"),
    loss=LeastSquares(weight=2.0),
    regularizers={"nce": PatchNCE(weight=0.5), "nce_identity": IdentityPatchNCE(weight=0.5)},
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
        paper="2007.15651",
        table="table 1",
        metric="FID of translated test images",
        figures={"horse to zebra": "45.5"},
        note="It is noted from memory of that table: look there before you rely on it.",
    ),
)
