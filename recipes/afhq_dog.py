"""AFHQ Dog at 256 x 256 px: StyleGAN2 with ADA and GGDR (Lee et al. 2022, arXiv 2207.13320, table 4).

Target: FID (50,000 fakes against all reals) / precision / recall
  ADA       7.40 / 0.76 / 0.48 (`--regularizers.ggdr none`)
  + GGDR    4.59 / 0.79 / 0.53
beside FastGAN 13.09 / 0.75 / 0.38, and ContraD 7.16 / - / -.

Data: the training images of the dog category of AFHQ, found as for recipes/afhq_cat.py.
  accelerate launch --num_processes 8 -m ggdr.train recipes/afhq_dog.py --data.source FOLDER_OR_ZIP_OR_HUB_ID
Say that they are this set by `--about.name "AFHQ Dog"`.

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
        name="AFHQ Dog",
        images="aligned photographs of the heads of dogs, from Flickr and Pixabay",
        figures={
            "FastGAN": "13.09 / 0.75 / 0.38",
            "ContraD": "7.16 / - / -",
            "ADA": "7.40 / 0.76 / 0.48",
            "ADA + GGDR": "4.59 / 0.79 / 0.53",
        },
    ),
)
