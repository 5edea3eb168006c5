"""Cats to dogs and back at 256 x 256 px: NICE-GAN (Chen et al. 2020, arXiv 2003.00273, table of FID and KID).

Target: FID / KID x 100 of the translated test images
  cat to dog    44.67 / 1.20
  dog to cat    48.79 / 1.58
Both are noted from memory of the paper's table, which was not at hand: look there before you rely on them.

Data: heads of cats and of dogs that DRIT's authors cut from photographs, in folders trainA, trainB, testA, testB:
  ggdr train recipes/cat2dog_nice.py --data.source cat2dog --about.name cat2dog
AFHQ has more cats and dogs, of which the numbers above say nothing:
  --data.source huggan/AFHQ --data.labels label --data.names cat dog --data.hold-out 500

Weights are the paper's: 10 for a cycle and 10 for what it calls reconstruction, an image made of the codes of itself,
which is `identity` in this game. Both stand beside squares that are not halved on either turn; `least_squares` halves
both, so its weight is 2. Here that matters on D's turn as well: Adam's weight decay is added to the gradient.

The paper's setting: one image of each domain a step, 100,000 steps (the published program goes on to 300,000), of which
the second half brings the rate to zero; spectral normalization iterates in each pass; no pool, no running mean. The two
generators have 16.2 M weights and the two discriminators 93.7 M, which is the light form; the published program's own
choice is `--generator.no-light`, 276 M a generator. CycleGAN
fails on cats and dogs, by its authors' word.

With GGDR, type also
  --discriminator unet --discriminator.encoder nice --regularizers.ggdr ggdr

Differences from the paper: images are resized to 286 px by an antialiased Lanczos filter; which one the paper takes is
not known here.

Every 10 kimg the translated test images are measured by what needs no weights; FID and KID by `--metrics.fid fid
--metrics.kid kid`.
"""

from ggdr.data.domains import Domains
from ggdr.games.shared_encoder import SharedEncoderGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.nice import NICEDiscriminatorConfig, NICETranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.identity import Identity
from ggdr.schedules.linear import Linear

KIMG = 100.0
ADAM = Adam(lr=Linear(start=1e-4, kimg=KIMG / 2, hold_kimg=None), beta1=0.5, beta2=0.999, weight_decay=1e-4)

recipe = Recipe(
    data=Domains(size=256, load_size=286, flip=True, channels=3),
    game=SharedEncoderGame(),
    generator=NICETranslatorConfig(),
    discriminator=NICEDiscriminatorConfig(),
    loss=LeastSquares(weight=2.0),
    regularizers={"cycle": CycleConsistency(weight=10.0), "identity": Identity(weight=10.0)},
    metrics={"swd": SlicedWasserstein()},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=1,
    total_kimg=KIMG,
    ema_kimg=0.0,
    power_iteration="pass",
    sample_kimg=10.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
    about=About(
        sources=("",),
        name="cat2dog",
        url="https://github.com/HsinYingLee/DRIT",
        images="heads of cats and of dogs, which DRIT's authors cut from photographs of the web",
        licence="not known here; the photographs were found on the web, and the rights are with those who made them",
        limits="Heads that look at the camera, of a few breeds.",
        paper="2003.00273",
        table="table of FID and KID",
        metric="FID / KID x 100 of translated test images",
        figures={"cat to dog": "44.67 / 1.20", "dog to cat": "48.79 / 1.58"},
        note="They are noted from memory of that table: look there before you rely on them.",
    ),
)
