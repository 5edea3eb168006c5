"""Horses to zebras at 256 x 256 px, one way and light: FastCUT (Park et al. 2020, arXiv 2007.15651, table 1).

Target: FID of the translated test horses
  horse to zebra    73.4
Other sets of the same table: cat to dog 94.0, labels to photographs of Cityscapes 68.8. All are noted from memory of
the paper, which was not at hand: look there before you rely on them.

Data: 1,067 horses and 1,334 zebras of ImageNet, as recipes/horse2zebra_cut.py says; of the authors' folders:
  ggdr train recipes/horse2zebra_fastcut.py --data.source horse2zebra --about.name horse2zebra

It differs from recipes/horse2zebra_cut.py as the paper's light variant does: `nce` weighs 10, the generator is shown no
reals, half of the sources are shown mirrored and the fakes' maps are mirrored back, and there are 200 epochs of the
larger domain (266.8 kimg), of which the last 50 bring the rate to zero. `least_squares` halves, so its weight is 2.

Who ran the published program with these settings got hardly any change of the horses and an FID of 252.4, and 60.5 with
a weight of 1, `--regularizers.nce.weight 1` (its issue 94, which its authors did not answer).

With GGDR, type also
  --discriminator unet --discriminator.encoder patch --discriminator.encoder.antialias --regularizers.ggdr ggdr

Differences from the published program: those of recipes/horse2zebra_cut.py; and sources are mirrored by lot on each
turn, so that the fake that D learns from may be the mirror image of the one that G learns from.

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
from ggdr.regularizers.nce import PatchNCE
from ggdr.schedules.linear import Linear

KIMG = 266.8
ADAM = Adam(lr=Linear(start=2e-4, kimg=KIMG / 4, hold_kimg=None), beta1=0.5, beta2=0.999)

recipe = Recipe(
    data=Domains(source="huggan/horse2zebra", size=256, load_size=286, flip=True, channels=3),
    game=OneWayGame(flip_equivariance=True),
    generator=ResnetTranslatorConfig(blocks=9, antialias=True, init="xavier"),
    discriminator=PatchDiscriminatorConfig(antialias=True, init="xavier"),
    loss=LeastSquares(weight=2.0),
    regularizers={"nce": PatchNCE(weight=10.0)},
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
        figures={"horse to zebra": "73.4"},
        note="It is noted from memory of that table: look there before you rely on it.",
    ),
)
