"""CIFAR-10 at 32 x 32 px, unconditional: StyleGAN2 with ADA and GGDR (Lee et al. 2022, arXiv 2207.13320, table 2).

Target: FID (50,000 fakes against all reals) / Inception Score, mean and spread of three trainings
  StyleGAN2    8.32 ± 0.09 / 9.21 ± 0.09 (`--augment none --regularizers.ggdr none`)
  ADA          2.92 ± 0.05 / 9.83 ± 0.04 (`--regularizers.ggdr none`)
  + GGDR       2.15 ± 0.02 / 10.02 ± 0.06
beside ProGAN 15.52 / 8.56 ± 0.06, AutoGAN 12.42 / 8.55 ± 0.10, FSMR 2.90 / 9.68, and of diffusion models
DDPM 3.17 ± 0.05 / 9.46 ± 0.11 and NCSN++ 2.2 / 9.89.

Data: the 50,000 training images. On the Hub as uoft-cs/cifar10 (image column `img`, classes in `label`):
  ggdr train recipes/cifar10.py --data.source uoft-cs/cifar10
or any folder or zip of them, with `--about.name CIFAR-10`. `--data.labels label` makes it conditional.

Gamma is 0.01, the cifar setting of StyleGAN2-ADA (arXiv 2006.06676) on which the paper builds: at 32 px the rule of
thumb, 0.0002 * 32 * 32 / 64 = 0.003, is of the same order, and a penalty as at 256 px would smother D.

The paper's setting: the cifar preset, a batch of 64; GGDR redraws the maps of 8 px, a quarter of the image. D sees
groups of 32: keep the micro-batch a multiple of 32, which means at most 2 GPUs.

Differences from the paper:
- bf16 autocast, penalties in float32, where the paper's code base computes in float16 and clamps.
- Feature maps are moved by the augmentation with sub-cell accuracy, and the decoder runs on fakes in D's turn only.
- 100,000 kimg, the length of StyleGAN2-ADA's runs on this set; the paper's own is not known here, nor whether it adds
  mirror images (`--data.mirror`).
- p is bounded by 1; the published code lets it grow without bound.
"""

from dataclasses import replace

from ffhq256 import recipe as ffhq256

from ggdr.augment.ada import ADA
from ggdr.data.images import ImageFiles
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.recipe.about import About
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.r1 import R1

recipe = replace(
    ffhq256,
    data=ImageFiles(size=32, channels=3),
    generator=StyleGAN2GeneratorConfig(channel_base=16384, mapping_layers=2, style_mixing=0.0),
    discriminator=UNetDiscriminatorConfig(
        encoder=StyleGAN2DiscriminatorConfig(architecture="orig", channel_base=16384, mbstd_group=32)
    ),
    regularizers={"r1": R1(weight=0.01, every=16), "ggdr": GGDR(weight=10.0, resolutions=(8,))},
    augment=ADA(target=0.6, speed_kimg=500.0),
    total_kimg=100_000.0,
    ema_kimg=500.0,
    ema_rampup=0.05,
    about=About(
        sources=("", "uoft-cs/cifar10"),
        name="CIFAR-10",
        url="https://www.cs.toronto.edu/~kriz/cifar.html",
        images="photographs of ten kinds of animals and vehicles, 32 x 32 px",
        licence="not stated on the page of the set; the photographs were found on the web, and the rights are with"
        " those who made them",
        limits="Drawn from 80 Million Tiny Images, which its makers withdrew in 2020 for its offensive content.",
        paper="2207.13320",
        table="table 2",
        metric="FID (50,000 fakes against all reals) / Inception Score",
        figures={
            "ProGAN": "15.52 / 8.56 ± 0.06",
            "AutoGAN": "12.42 / 8.55 ± 0.10",
            "StyleGAN2": "8.32 ± 0.09 / 9.21 ± 0.09",
            "ADA": "2.92 ± 0.05 / 9.83 ± 0.04",
            "FSMR": "2.90 / 9.68",
            "DDPM": "3.17 ± 0.05 / 9.46 ± 0.11",
            "NCSN++": "2.2 / 9.89",
            "ADA + GGDR": "2.15 ± 0.02 / 10.02 ± 0.06",
        },
        count=50_000,
        note="Mean and spread of three trainings.",
    ),
)
