"""Selfies to anime and back at 256 x 256 px: U-GAT-IT (Kim et al. 2020, arXiv 1907.10830, table of KID).

Target: KID x 100 of the translated test images
  selfie to anime    11.61 +- 0.57
  anime to selfie    11.52
Both are noted from memory of the paper's table, which was not at hand: look there before you rely on them. Users of the
published program report that it comes near them with difficulty.

Data: the authors' selfies and faces of anime, 3,400 of each to learn from and 100 of each to test on, in folders
trainA, trainB, testA, testB:
  ggdr train recipes/selfie2anime_ugatit.py --data.source selfie2anime --about.name selfie2anime

Weights are the paper's: 10 for a cycle, 10 for identity and 1,000 for the classifiers in the generators, `cam`. They
stand beside squares that are not halved on either turn; `least_squares` halves both, so its weight is 2, which matters
on D's turn as well: Adam's weight decay is added to the gradient. Each discriminator has four losses of equal weight:
of its global and its local network, and of the classifiers in both.

The paper's setting: one image of each domain a step, a million steps, of which the second half brings the rate to zero;
spectral normalization iterates in each pass; D's turn comes first; no pool, no running mean. A generator has 278.96 M
weights, since its scales and shifts come from all pixels of maps: with their gradients and Adam's means the two take
9 GB. `--generator.light` has 10.59 M, and by the word of users makes worse images.

With GGDR, type also
  --discriminator unet --discriminator.encoder ugatit --regularizers.ggdr ggdr

Differences from the paper: images are resized to 286 px by an antialiased Lanczos filter; which one the paper takes is
not known here.

Every 100 kimg the translated test images are measured by what needs no weights; KID and FID by `--metrics.kid kid
--metrics.fid fid`.
"""

from ggdr.data.domains import Domains
from ggdr.games.unpaired import UnpairedGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.ugatit import UGATITDiscriminatorConfig, UGATITTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.cam import ClassActivationMaps
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.identity import Identity
from ggdr.schedules.linear import Linear

KIMG = 1000.0
ADAM = Adam(lr=Linear(start=1e-4, kimg=KIMG / 2, hold_kimg=None), beta1=0.5, beta2=0.999, weight_decay=1e-4)

recipe = Recipe(
    data=Domains(size=256, load_size=286, flip=True, channels=3),
    game=UnpairedGame(pool=0, first="d"),
    generator=UGATITTranslatorConfig(light=False),
    discriminator=UGATITDiscriminatorConfig(),
    loss=LeastSquares(weight=2.0),
    regularizers={
        "cycle": CycleConsistency(weight=10.0),
        "identity": Identity(weight=10.0),
        "cam": ClassActivationMaps(weight=1000.0),
    },
    metrics={"swd": SlicedWasserstein()},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=1,
    total_kimg=KIMG,
    ema_kimg=0.0,
    power_iteration="pass",
    sample_kimg=10.0,
    checkpoint_kimg=10.0,
    metric_kimg=100.0,
    about=About(
        sources=("",),
        name="selfie2anime",
        url="https://github.com/taki0112/UGATIT",
        images="selfies, and faces of characters of anime, which U-GAT-IT's authors cut from pictures of the web",
        licence="not known here; the pictures were found on the web, and the rights are with those who made them",
        limits="Selfies of women, and faces of one style of anime, that look at the viewer.",
        paper="1907.10830",
        table="table of KID",
        metric="KID x 100 of translated test images",
        figures={"selfie to anime": "11.61 +- 0.57", "anime to selfie": "11.52"},
        note="They are noted from memory of that table: look there before you rely on them.",
    ),
)
