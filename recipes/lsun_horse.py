"""LSUN Horse at 256 x 256 px: StyleGAN2 with GGDR (Lee et al. 2022, arXiv 2207.13320, table 1).

Target: FID (50,000 fakes against all reals)
  StyleGAN2    not restated here: see the paper's table 1
  + GGDR       not restated here: see the paper's table 1

Data: LSUN's horse category, exported to a folder or zip of images as for recipes/lsun_cat.py.
  accelerate launch --num_processes 8 -m ggdr.train recipes/lsun_horse.py --data.source FOLDER_OR_ZIP_OR_HUB_ID

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
        images="LSUN Horse: photographs of horses from the web, often with riders",
        table="table 1",
        figures={},
        note="The paper has numbers for StyleGAN2 with GGDR and without; they are not restated here.",
    ),
)
