"""Edges to shoes and back at 256 x 256 px, many shoes of each drawing: MUNIT (Huang et al. 2018, arXiv 1804.04732).

Target: edges to shoes
  people who prefer it to another method's      50.0 % (by definition: others are compared with it)
  LPIPS between two shoes of the same edges     0.109 (CycleGAN 0.010, UNIT 0.011)
All are noted from memory of the paper's table 1, which was not at hand: look there before you rely on them. The
paper's LPIPS reads AlexNet's features of 100 drawings, 19 pairs of shoes each.

Data: 49,825 shoes of UT Zappos50K, and edges that a program found in them, as two domains: that a drawing belongs to a
shoe is not told. As it stands the recipe takes the two columns of `huggan/edges2shoes`; of two folders of your own:
  ggdr train recipes/edges2shoes_munit.py --data.source edges2shoes --about.name edges2shoes
with trainA, trainB, testA and testB in it.

Weights are the paper's: 10 for an image from its own codes (`identity`), 1 for the content and 1 for the style that are
found again in a fake. Both stand beside squares that are not halved, as CycleGAN's are; the paper does not say which
it means. `least_squares` halves both turns, so its weight is 2. The cycle in the source's own style, which the paper
leaves open, is `--regularizers.cycle cycle`.

The paper's setting: one image of each domain a step, mirror images, style codes of 8 numbers, Adam with a weight decay
of 1e-4 and a rate of 1e-4 that is halved every 100,000 steps, weights drawn for ReLU, discriminators at three scales
without normalization. A generator, which is one domain's autoencoder, has 15.0 M weights and a discriminator 8.3 M.

With GGDR, type also
  --discriminator unet --discriminator.encoder patch --discriminator.encoder.norm none \\
  --discriminator.encoder.scales 3 --discriminator.encoder.halvings 4 --discriminator.encoder.unstrided 0 \\
  --regularizers.ggdr ggdr

Differences from the paper:
- It does not say for how long it trains; here 1,000 kimg, so that the rate is halved nine times.
- It does not say which player learns first (here D), how edges of maps are padded (here reflected), how wide the layers
  from style code to decoder are (here two of 256), nor what follows D's four halvings (here one 4 x 4 convolution).
- D's first weights are PatchGAN's, N(0, 0.02).
- Its perceptual loss, which is for streets and landscapes of 512 px or more, is left out.

Every 50 kimg the translated test images are measured by what needs no weights; FID by `--metrics.fid fid`, and how
much two shoes of the same edges differ, by VGG-16's LPIPS, `--metrics.diversity diversity`.
"""

from ggdr.data.domains import Domains
from ggdr.games.multimodal import MultimodalGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.munit import MUNITTranslatorConfig
from ggdr.networks.patch import PatchDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.content_reconstruction import ContentReconstruction
from ggdr.regularizers.identity import Identity
from ggdr.regularizers.style_reconstruction import StyleReconstruction
from ggdr.schedules.steps import Steps

HALVED = tuple(100.0 * step for step in range(1, 10))
ADAM = Adam(lr=Steps(start=1e-4, factor=0.5, milestones_kimg=HALVED), beta1=0.5, beta2=0.999, weight_decay=1e-4)

recipe = Recipe(
    data=Domains(source="huggan/edges2shoes", size=256, flip=True, channels=3),
    game=MultimodalGame(),
    generator=MUNITTranslatorConfig(),
    discriminator=PatchDiscriminatorConfig(halvings=4, unstrided=0, norm="none", scales=3),
    loss=LeastSquares(weight=2.0),
    regularizers={
        "identity": Identity(weight=10.0),
        "content_reconstruction": ContentReconstruction(weight=1.0),
        "style_reconstruction": StyleReconstruction(weight=1.0),
    },
    metrics={"swd": SlicedWasserstein()},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=1,
    total_kimg=1000.0,
    ema_kimg=0.0,
    sample_kimg=50.0,
    checkpoint_kimg=50.0,
    metric_kimg=50.0,
    about=About(
        sources=("huggan/edges2shoes",),
        name="edges2shoes",
        url="https://vision.cs.utexas.edu/projects/finegrained/utzap50k",
        images="a shop's photographs of shoes over white (UT Zappos50K), and edges that a program found in them",
        licence="not known here: look for it on the set's page; the photographs are a shop's",
        limits="Shoes alone, from one side, over white. Edges drawn by hand are unlike those that it learned from.",
        paper="1804.04732",
        table="table 1",
        metric="LPIPS between two shoes of the same edges (higher: more diverse)",
        figures={"edges to shoes": "0.109"},
        count=49825,
        note="It is noted from memory of that table: look there before you rely on it. The paper's LPIPS is AlexNet's.",
    ),
)
