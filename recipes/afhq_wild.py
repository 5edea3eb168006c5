"""AFHQ Wild at 256 x 256 px: StyleGAN2 with ADA and GGDR (Lee et al. 2022, arXiv 2207.13320).

Target: FID (50,000 fakes against all reals)
  StyleGAN2 + ADA    not restated here: see the paper's table on AFHQ
  + GGDR             not restated here: see the paper's table on AFHQ

Data: the training images of the wild category of AFHQ, found as for recipes/afhq_cat.py.
  accelerate launch --num_processes 8 -m ggdr.train recipes/afhq_wild.py --data.source FOLDER_OR_ZIP_OR_HUB_ID

Gamma is 1, as in recipes/afhq_cat.py.

The paper's setting: a batch of 64, as in recipes/ffhq256.py.

Differences from the paper: those of recipes/afhq_cat.py.
"""

from dataclasses import replace

from afhq_cat import recipe as afhq_cat

recipe = replace(
    afhq_cat,
    about=replace(
        afhq_cat.about,
        images="AFHQ Wild: aligned photographs of the heads of wild animals, from Flickr and Pixabay",
    ),
)
