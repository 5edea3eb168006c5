"""Landscape photographs at 256 x 256 px: StyleGAN2 with ADA and GGDR (Lee et al. 2022, arXiv 2207.13320, table 4).

Target: FID (50,000 fakes against all reals) / precision / recall
  ADA       13.87 / 0.72 / 0.20 (`--regularizers.ggdr none`)
  + GGDR    10.38 / 0.69 / 0.29
beside FastGAN 16.44 / 0.77 / 0.16.

Data: any folder of landscape photographs; they are cut about their centre and shrunk on the fly. Which archive the
paper means by Landscape, and how many images it holds, is not known here: see its section on data. The numbers are of
that set: say that yours is it by `--about.name Landscape`.
  accelerate launch --num_processes 8 -m ggdr.train recipes/landscape.py --data.source FOLDER_OR_ZIP_OR_HUB_ID

Gamma is 1, as in recipes/ffhq256_ada_10k.py: same size, and a small set, where ADA does the work.

The paper's setting: a batch of 64, as in recipes/ffhq256.py.

Differences from the paper: those of recipes/ffhq256_ada_10k.py but for the subset, and
- the set of images, unless you take the paper's.
"""

from dataclasses import replace

from ffhq256_ada_10k import recipe as ffhq256_ada_10k

recipe = replace(
    ffhq256_ada_10k,
    data=replace(ffhq256_ada_10k.data, subset=None),
    about=replace(
        ffhq256_ada_10k.about,
        name="Landscape",
        url="",
        images="photographs of landscapes",
        licence="that of the photographs you give it",
        limits="Which landscapes, from where and in which seasons, depends on the photographs you give it.",
        table="table 4",
        metric="FID (50,000 fakes against all reals) / precision / recall",
        count=None,
        note="",
        figures={
            "FastGAN": "16.44 / 0.77 / 0.16",
            "ADA": "13.87 / 0.72 / 0.20",
            "ADA + GGDR": "10.38 / 0.69 / 0.29",
        },
    ),
)
