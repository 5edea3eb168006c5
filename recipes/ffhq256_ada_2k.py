"""2,000 images of FFHQ at 256 x 256 px: StyleGAN2 with ADA and GGDR (Lee et al. 2022, arXiv 2207.13320,
table 1).

Target: FID (50,000 fakes against all reals, mean and spread of three trainings)
  StyleGAN2    78.80 ± 2.31 (`--augment none --regularizers.ggdr none`)
  + GGDR       70.59 ± 5.16 (`--augment none`)
  ADA          16.49 ± 0.65 (`--regularizers.ggdr none`)
  + GGDR       18.28 ± 0.77
beside PA-GAN 56.49 ± 7.28, WGAN-GP 79.19 ± 6.30, zCR 71.61 ± 9.64 and AR (auxiliary rotation) 66.64 ± 3.64.

This is the one published case in which GGDR does not help: beside ADA it is worse. To train on few images of your own
take recipes/few.py, which leaves it out.

Data: as recipes/ffhq256.py; `--data.subset` draws the 2,000 at random, all of them among the 10,000 of
recipes/ffhq256_ada_10k.py.
  accelerate launch --num_processes 8 -m ggdr.train recipes/ffhq256_ada_2k.py --data.source FOLDER_OR_ZIP_OR_HUB_ID

Gamma is 1, as in recipes/ffhq256_ada_10k.py.

The paper's setting: a batch of 64, as in recipes/ffhq256.py.

Differences from the paper: those of recipes/ffhq256_ada_10k.py.
"""

from dataclasses import replace

from ffhq256_ada_10k import recipe as ffhq256_ada_10k

recipe = replace(
    ffhq256_ada_10k,
    data=replace(ffhq256_ada_10k.data, subset=2_000),
    about=replace(
        ffhq256_ada_10k.about,
        figures={
            "PA-GAN": "56.49 ± 7.28",
            "WGAN-GP": "79.19 ± 6.30",
            "zCR": "71.61 ± 9.64",
            "AR (auxiliary rotation)": "66.64 ± 3.64",
            "StyleGAN2": "78.80 ± 2.31",
            "StyleGAN2 + GGDR": "70.59 ± 5.16",
            "ADA": "16.49 ± 0.65",
            "ADA + GGDR": "18.28 ± 0.77",
        },
        count=2_000,
        note="Mean and spread of three trainings. The one published case in which GGDR makes it worse: beside ADA.",
    ),
)
