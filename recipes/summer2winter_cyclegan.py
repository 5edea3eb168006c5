"""Summer to winter in Yosemite and back at 256 x 256 px: CycleGAN (Zhu et al. 2017, arXiv 1703.10593).

Target: FID of the translated test images, summer to winter / winter to summer; the paper has none
  published weights                 77.342 / 72.631
  trained again by mmagic           83.7177 / 72.8025
  published weights, no identity    76.773 / 74.239
all as mmagic measured them (configs/cyclegan/README.md). The third is `--regularizers.identity none`.

Data: 1,231 photographs of summer and 962 of winter, 309 and 238 more for tests. As it stands the recipe takes
`huggan/summer2winter_yosemite`, in which winters repeat until they are as many as summers: what repeats is left out.
Of the authors' folders trainA, trainB, testA and testB:
  ggdr train recipes/summer2winter_cyclegan.py --data.source summer2winter_yosemite --about.name summer2winter

Everything else, with the reasons for weights and the differences, is as in recipes/horse2zebra_cyclegan.py; 200 epochs
of the larger domain are 246.2 kimg.

With GGDR, type also
  --game.pool 0 --discriminator unet --discriminator.encoder patch --regularizers.ggdr ggdr

Differences from the published program: those of recipes/horse2zebra_cyclegan.py.
"""

from dataclasses import replace

from horse2zebra_cyclegan import recipe as horse2zebra

from ggdr.optimizers.adam import Adam
from ggdr.recipe.about import About
from ggdr.schedules.linear import Linear

KIMG = 246.2
ADAM = Adam(lr=Linear(start=2e-4, kimg=KIMG / 2, hold_kimg=None), beta1=0.5, beta2=0.999)

recipe = replace(
    horse2zebra,
    data=replace(horse2zebra.data, source="huggan/summer2winter_yosemite"),
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    total_kimg=KIMG,
    about=About(
        sources=("huggan/summer2winter_yosemite",),
        name="summer2winter",
        url="https://efrosgans.eecs.berkeley.edu/cyclegan/datasets",
        images="photographs of Yosemite that Flickr's users took in summer and in winter",
        licence="not known here; the photographs were found on Flickr, and the rights are with those who made them",
        limits="Landscapes of one park. What it makes of other places, or of people, nobody has looked at.",
        paper="1703.10593",
        table="its authors' weights, as mmagic measured them",
        metric="FID of translated test images, summer to winter / winter to summer",
        figures={
            "published weights": "77.342 / 72.631",
            "trained again by mmagic": "83.7177 / 72.8025",
            "published weights, no identity": "76.773 / 74.239",
        },
        note="The paper prints no FID. The test set is the authors' 309 photographs of summer and 238 of winter.",
    ),
)
