"""LSUN Cat at 256 x 256 px: StyleGAN2 with GGDR (Lee et al. 2022, arXiv 2207.13320, table 3 and ablation).

Target: FID (50,000 fakes against all reals) / precision / recall
  StyleGAN2    7.98 / 0.60 / 0.27 (`--regularizers.ggdr none`)
  + GGDR       5.28 / 0.58 / 0.38
beside polarity sampling 6.39 / 0.64 / 0.32.
The ablation on this set, in FID, by the resolution of the decoder's maps (`--regularizers.ggdr.resolutions`):
  none 7.98, 8 px 7.57, 16 px 6.56, 32 px 5.98, 64 px 5.28
and by the decoder: with leaky ReLU 5.43 (`--discriminator.activation lrelu`), with 3x3 kernels 5.25
(`--discriminator.kernel 3`).

Data: LSUN's cat category, whose archive is an LMDB of JPEGs: export it to a folder or zip of images first. They are cut
about their centre and shrunk on the fly.
  accelerate launch --num_processes 8 -m ggdr.train recipes/lsun_cat.py --data.source FOLDER_OR_ZIP_OR_HUB_ID
Say that they are this set by `--about.name "LSUN Cat"`, as in recipes/ffhq256.py.

Gamma is 1, the paper256 setting of StyleGAN2-ADA (arXiv 2006.06676), which names LSUN Cat as a set it is meant for.

The paper's setting: a batch of 64, as in recipes/ffhq256.py.

Differences from the paper: those of recipes/ffhq256.py except for mirroring (off here), and
- `--data.subset N` takes a part of the set; how many images the paper trains on is not known here: see its section
  on data. The recipe takes all that it is given.
"""

from dataclasses import replace

from ffhq256 import recipe as ffhq256

from ggdr.recipe.about import About

recipe = replace(
    ffhq256,
    data=replace(ffhq256.data, mirror=False),
    about=About(
        sources=("",),
        name="LSUN Cat",
        url="https://www.yf.io/p/lsun",
        images="photographs of cats from the web",
        licence="not known here: look for it; the photographs were found on the web, and the rights are with those who"
        " made them",
        limits="Photographs found on the web and sorted in part by machine: some show something else, or carry captions"
        " and watermarks.",
        paper="2207.13320",
        table="table 3",
        metric="FID (50,000 fakes against all reals) / precision / recall",
        figures={
            "Polarity sampling": "6.39 / 0.64 / 0.32",
            "StyleGAN2": "7.98 / 0.60 / 0.27",
            "StyleGAN2 + GGDR": "5.28 / 0.58 / 0.38",
        },
    ),
)
