"""LSUN Church (outdoor) at 256 x 256 px: StyleGAN2 with GGDR (Lee et al. 2022, arXiv 2207.13320, table 3).

Target: FID (50,000 fakes against all reals) / precision / recall
  StyleGAN2    3.97 / 0.59 / 0.39 (`--regularizers.ggdr none`)
  + GGDR       3.15 / 0.61 / 0.46
beside UT (Unleashing Transformers) 4.07 / 0.71 / 0.45 and polarity sampling 3.92 / 0.61 / 0.39.

Data: LSUN's church_outdoor category, exported to a folder or zip of images as for recipes/lsun_cat.py.
  accelerate launch --num_processes 8 -m ggdr.train recipes/lsun_church.py --data.source FOLDER_OR_ZIP_OR_HUB_ID
Say that they are this set by `--about.name "LSUN Church"`.

Gamma is 1, as in recipes/lsun_cat.py. If D
runs ahead of G, raise it: `--regularizers.r1.weight 10`.

The paper's setting: a batch of 64, as in recipes/ffhq256.py.

Differences from the paper: those of recipes/lsun_cat.py.
"""

from dataclasses import replace

from lsun_cat import recipe as lsun_cat

recipe = replace(
    lsun_cat,
    about=replace(
        lsun_cat.about,
        name="LSUN Church",
        images="photographs of churches from outside, from the web",
        figures={
            "UT (Unleashing Transformers)": "4.07 / 0.71 / 0.45",
            "Polarity sampling": "3.92 / 0.61 / 0.39",
            "StyleGAN2": "3.97 / 0.59 / 0.39",
            "StyleGAN2 + GGDR": "3.15 / 0.61 / 0.46",
        },
    ),
)
