"""Edges to shoes and back at 64 x 64 px: Augmented CycleGAN (Almahairi et al. 2018, arXiv 1802.10151).

One drawing has many shoes: a code of 16 numbers says which one is made, and an encoder finds the code of a shoe. No
number of the paper's tables is given here, since they were not at hand when this was written.

Data: 49,825 shoes of UT Zappos50K, each with edges that a program found; which edges are a shoe's is not used. As it
stands the recipe takes `huggan/edges2shoes`; of the published pictures, which hold both side by side, make two folders
trainA and trainB first:
  ggdr train recipes/edges2shoes_augmented.py --data.source edges2shoes --about.name edges2shoes
A copy without a split for tests is measured on what it learns from: `--data.hold-out 200` keeps some.

Weights are the published program's: 1 for a cycle, 0.025 for that of a code, beside squares that are not halved on G's
turn. Here `least_squares` halves both turns, so its weight is 2. D's loss, which the program does halve, is thereby
twice as large, which Adam does not notice.

The published setting: 32 images of each domain a step, 25 epochs at a constant rate and 25 that bring it to zero (2,491
kimg), the discriminators' rate a fifth of the generators', no running mean. The discriminator of codes has 3 layers of
64 with batch normalization, which hides from it how wide codes are spread; `--game.discriminator-z.norm none` shows it.

With GGDR, type also
  --discriminator unet --discriminator.encoder patch --discriminator.encoder.halvings 2 --regularizers.ggdr ggdr
which redraws maps in the discriminators of images, not in that of codes.

Differences from the published program:
- The discriminators' rate stays a fifth of the generators' while both fall; there it becomes the generators' then.
- Gradients are clipped to a norm of 500 over all networks that learn on a turn; there, over each network.
- Both domains have the same discriminator; there, that of edges has 3 x 3 filters and four halvings.
- A code scales and shifts by what is linear in it, and one pass of the encoder has no dropout or noise; how the program
  does the first is not known here.
- Codes found in reals are those of the step; a shoe's edges are what the generator of edges makes of it in that step.
- The supervised variant, with a tenth of the pairs, is left out.

Every 50 kimg the translated images are measured by what needs no weights; FID by `--metrics.fid fid`.
"""

from ggdr.data.domains import Domains
from ggdr.games.augmented import AugmentedGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.mlp import MLPDiscriminatorConfig
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.style_reconstruction import StyleReconstruction
from ggdr.schedules.linear import Linear

KIMG = 2491.0


def adam(lr: float) -> Adam:
    """Adam whose rate falls over the second half."""
    return Adam(lr=Linear(start=lr, kimg=KIMG / 2, hold_kimg=None), beta1=0.5, beta2=0.999, clip_norm=500.0)


recipe = Recipe(
    data=Domains(source="huggan/edges2shoes", size=64, channels=3),
    game=AugmentedGame(encoder=ConvEncoderConfig(), discriminator_z=MLPDiscriminatorConfig(norm="batch")),
    generator=ResnetTranslatorConfig(channels=32, widenings=1, halvings=1, blocks=3, z_dim=16),
    discriminator=PatchDiscriminatorConfig(halvings=2),
    loss=LeastSquares(weight=2.0),
    regularizers={"cycle": CycleConsistency(weight=1.0), "style_reconstruction": StyleReconstruction(weight=0.025)},
    metrics={"swd": SlicedWasserstein()},
    g_optimizer=adam(2e-4),
    d_optimizer=adam(4e-5),
    batch_size=32,
    total_kimg=KIMG,
    ema_kimg=0.0,
    sample_kimg=50.0,
    checkpoint_kimg=50.0,
    metric_kimg=50.0,
    about=About(
        sources=("huggan/edges2shoes",),
        name="edges2shoes",
        url="https://vision.cs.utexas.edu/projects/finegrained/utzap50k",
        images="a shop's photographs of shoes over white (UT Zappos50K), with edges that a program found",
        licence="not known here: look for it on the set's page; the photographs are a shop's",
        limits="Shoes alone, from one side, over white. Edges drawn by hand are unlike those that it learned from.",
        paper="1802.10151",
        count=49825,
        note="The numbers of the paper's tables were not at hand.",
    ),
)
