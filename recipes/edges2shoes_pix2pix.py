"""Edges to shoes at 256 x 256 px: pix2pix (Isola et al. 2017, arXiv 1611.07004).

Target: FID of the shoes made of the test set's edges; the paper has none
  published weights          75.774
  trained again by mmagic    84.3750
both as mmagic measured them (configs/pix2pix/README.md).

Data: 49,825 shoes of UT Zappos50K, each with edges that a program found, and 200 more for tests, the split `val`. The
published pictures hold both side by side, edges left:
  ggdr train recipes/edges2shoes_pix2pix.py --data.source edges2shoes --about.name edges2shoes
As it stands the recipe takes `huggan/edges2shoes`. A copy without a split for tests is measured on what it learns from,
and says so: `--data.hold-out 200` keeps some.

Weights and networks are those of recipes/facades_pix2pix.py. The paper's setting: four pairs a step, 15 epochs (747
kimg) at a constant rate, and neither jitter nor mirror images: edges are drawn to the pixel.

With GGDR, type also
  --discriminator unet --discriminator.encoder patch --discriminator.encoder.norm batch --regularizers.ggdr ggdr

Differences from the published program: that of recipes/facades_pix2pix.py on dropout.
"""

from dataclasses import replace

from facades_pix2pix import recipe as facades

from ggdr.data.pairs import Pairs
from ggdr.optimizers.adam import Adam
from ggdr.recipe.about import About

ADAM = Adam(lr=2e-4, beta1=0.5, beta2=0.999)

recipe = replace(
    facades,
    data=Pairs(source="huggan/edges2shoes", size=256, channels=3),
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=4,
    total_kimg=747.0,
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
        paper="1611.07004",
        table="its authors' weights, as mmagic measured them",
        metric="FID of shoes made of the test set's edges",
        figures={"published weights": "75.774", "trained again by mmagic": "84.3750"},
        count=49825,
        note="The paper prints no FID. The test set is the authors' 200 pairs.",
    ),
)
