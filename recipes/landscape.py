"""Landscape photographs at 256 x 256 px: StyleGAN2 with ADA and GGDR (Lee et al. 2022, arXiv 2207.13320).

Target: FID (50,000 fakes against all reals)
  StyleGAN2 + ADA    not restated here: see the paper's table on Landscape
  + GGDR             not restated here: see the paper's table on Landscape

Data: any folder of landscape photographs; they are cut about their centre and shrunk on the fly. Which archive the
paper means by Landscape, and how many images it holds, is not restated here: see its section on data.
  accelerate launch --num_processes 8 -m ggdr.train recipes/landscape.py --data.source FOLDER_OR_ZIP_OR_HUB_ID

Gamma is 1, as in recipes/ffhq256_ada_10k.py: same size, and a small set, where ADA does the work.

The paper's setting: a batch of 64, as in recipes/ffhq256.py.

Differences from the paper: those of recipes/ffhq256_ada_10k.py but for the subset, and
- the set of images, unless you take the paper's.
- with ADA; the paper's choice of augmentation for this set is not restated here (`--augment none` for without).
"""

from dataclasses import replace

from ffhq256_ada_10k import recipe as ffhq256_ada_10k

recipe = replace(
    ffhq256_ada_10k,
    data=replace(ffhq256_ada_10k.data, subset=None),
    about=replace(
        ffhq256_ada_10k.about,
        images="photographs of landscapes",
        licence="that of the photographs you give it",
        limits="Which landscapes, from where and in which seasons, depends on the photographs you give it.",
        table="table on Landscape",
    ),
)
