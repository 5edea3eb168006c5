"""AFHQ Wild at 256 x 256 px: StyleGAN2 with ADA and GGDR (Lee et al. 2022, arXiv 2207.13320, table 4).

Target: FID (50,000 fakes against all reals) / precision / recall
  ADA       3.05 / 0.76 / 0.13 (`--regularizers.ggdr none`)
  + GGDR    2.06 / 0.80 / 0.27
beside FastGAN 3.14 / 0.76 / 0.20, and ContraD 2.54 / - / -.

Data: the training images of the wild category of AFHQ, found as for recipes/afhq_cat.py.
  accelerate launch --num_processes 8 -m ggdr.train recipes/afhq_wild.py --data.source FOLDER_OR_ZIP_OR_HUB_ID
Say that they are this set by `--about.name "AFHQ Wild"`.

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
        name="AFHQ Wild",
        images="aligned photographs of the heads of wild animals, from Flickr and Pixabay",
        figures={
            "FastGAN": "3.14 / 0.76 / 0.20",
            "ContraD": "2.54 / - / -",
            "ADA": "3.05 / 0.76 / 0.13",
            "ADA + GGDR": "2.06 / 0.80 / 0.27",
        },
    ),
)
