"""LSUN Horse at 256 x 256 px: StyleGAN2 with GGDR (Lee et al. 2022, arXiv 2207.13320, table 3).

Target: FID (50,000 fakes against all reals) / precision / recall
  StyleGAN2    3.62 / 0.63 / 0.36 (`--regularizers.ggdr none`)
  + GGDR       2.50 / 0.64 / 0.43

Data: LSUN's horse category, exported to a folder or zip of images as for recipes/lsun_cat.py.
  accelerate launch --num_processes 8 -m ggdr.train recipes/lsun_horse.py --data.source FOLDER_OR_ZIP_OR_HUB_ID
Say that they are this set by `--about.name "LSUN Horse"`.

Gamma is 1, as in recipes/lsun_cat.py: same size, same kind of photographs.

The paper's setting: a batch of 64, as in recipes/ffhq256.py.

Differences from the paper: those of recipes/lsun_cat.py.
"""

from dataclasses import replace

from lsun_cat import recipe as lsun_cat

recipe = replace(
    lsun_cat,
    about=replace(
        lsun_cat.about,
        name="LSUN Horse",
        images="photographs of horses from the web, often with riders",
        figures={"StyleGAN2": "3.62 / 0.63 / 0.36", "StyleGAN2 + GGDR": "2.50 / 0.64 / 0.43"},
    ),
)
