"""AFHQ Cat at 256 x 256 px: StyleGAN2 with ADA and GGDR (Lee et al. 2022, arXiv 2207.13320, table 4).

Target: FID (50,000 fakes against all reals) / precision / recall
  ADA       3.55 / 0.77 / 0.41 (`--regularizers.ggdr none`)
  + GGDR    2.76 / 0.74 / 0.52
beside FastGAN 4.69 / 0.78 / 0.31, and ContraD 3.82 / - / -.

Data: the training images of the cat category of AFHQ (StarGAN v2, arXiv 1912.01865), a folder of 512 px files that are
shrunk on the fly. The Hub's huggan/AFHQ holds all three categories in one table: export the one of label `cat` first.
  accelerate launch --num_processes 8 -m ggdr.train recipes/afhq_cat.py --data.source FOLDER_OR_ZIP_OR_HUB_ID
Say that they are this set by `--about.name "AFHQ Cat"`, as in recipes/ffhq256.py.

Gamma is 1, as in recipes/ffhq256_ada_10k.py: same size, and a set about as small, where ADA does the work.

The paper's setting: a batch of 64, as in recipes/ffhq256.py.

Differences from the paper: those of recipes/ffhq256_ada_10k.py but for the subset, and
- 256 px; the paper's resolution for this set and the version of AFHQ it takes are not known here.
"""

from dataclasses import replace

from ffhq256_ada_10k import recipe as ffhq256_ada_10k

recipe = replace(
    ffhq256_ada_10k,
    data=replace(ffhq256_ada_10k.data, subset=None),
    about=replace(
        ffhq256_ada_10k.about,
        name="AFHQ Cat",
        url="https://github.com/clovaai/stargan-v2",
        images="aligned photographs of the heads of cats, from Flickr and Pixabay",
        licence="CC BY-NC 4.0, as the page of the set says: not for commercial use",
        limits="One head in each, seen from the front, of the animals that people photograph most.",
        table="table 4",
        metric="FID (50,000 fakes against all reals) / precision / recall",
        count=None,
        note="",
        figures={
            "FastGAN": "4.69 / 0.78 / 0.31",
            "ContraD": "3.82 / - / -",
            "ADA": "3.55 / 0.77 / 0.41",
            "ADA + GGDR": "2.76 / 0.74 / 0.52",
        },
    ),
)
