"""10,000 images of FFHQ at 256 x 256 px: StyleGAN2 with ADA and GGDR (Lee et al. 2022, arXiv 2207.13320).

Target: FID (50,000 fakes against all reals)
  StyleGAN2 + ADA    not restated here: see the paper's table on limited data
  + GGDR             not restated here: see the paper's table on limited data

Data: as recipes/ffhq256.py, which this recipe changes in two lines; `--data.subset` draws the 10,000 at random.
  accelerate launch --num_processes 8 -m ggdr.train recipes/ffhq256_ada_10k.py --data.source FOLDER_OR_ZIP_OR_HUB_ID

Gamma is 1, as in recipes/ffhq256.py: ADA, not a stronger penalty, is what keeps D from memorising 10,000 images.

The paper's setting: a batch of 64, as in recipes/ffhq256.py.

Differences from the paper: those of recipes/ffhq256.py, and
- which 10,000 images are drawn: the subset is a function of `data.subset_seed` and of the order of the files.
- p is bounded by 1; the published code lets it grow without bound.
"""

from dataclasses import replace

from ffhq256 import recipe as ffhq256

from ggdr.augment.ada import ADA

recipe = replace(
    ffhq256,
    data=replace(ffhq256.data, subset=10_000),
    augment=ADA(target=0.6, speed_kimg=500.0),
    about=replace(
        ffhq256.about,
        images="10,000 photographs of faces drawn from FFHQ, which was gathered on Flickr",
        table="table on limited data",
        figures={},
        note="The paper has numbers for StyleGAN2 + ADA with GGDR and without; they are not restated here.",
    ),
)
