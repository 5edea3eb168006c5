"""FFHQ at 64 x 64 px: R3GAN (Huang et al. 2024, arXiv 2501.05441), by the numbers of its published program.

Target: FID
  R3GAN        1.95

Data: 70,000 aligned faces, shrunk on the fly; a copy shrunk to 64 px reads faster:
  accelerate launch --num_processes 8 -m ggdr.train recipes/r3gan_ffhq64.py --data.source FOLDER_OR_ZIP_OR_HUB_ID
Say that they are FFHQ by `--about.name FFHQ`: then model cards say of them what this recipe says, else nothing.

Gamma, that of R1 and of R2, falls from 2 to 0.2. The other numbers, schedules, lengths and differences from the
published program are those of `r3gan_ffhq256.py`, which has the words to them.
"""

from dataclasses import replace

from r3gan_ffhq256 import KIMG
from r3gan_ffhq256 import recipe as ffhq256

from ggdr.data.images import ImageFiles
from ggdr.networks.r3gan import R3GANDiscriminatorConfig, R3GANGeneratorConfig
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r2 import R2
from ggdr.schedules.cosine import Cosine

WIDTHS = (768, 768, 768, 768, 384)
GAMMA = Cosine(start=2.0, end=0.2, kimg=KIMG)

recipe = replace(
    ffhq256,
    data=ImageFiles(size=64, channels=3, mirror=True),
    generator=R3GANGeneratorConfig(z_dim=64, widths=WIDTHS),
    discriminator=R3GANDiscriminatorConfig(widths=WIDTHS),
    regularizers={"r1": R1(weight=GAMMA, every=1), "r2": R2(weight=GAMMA, every=1)},
    about=replace(ffhq256.about, figures={"R3GAN": "1.95"}),
)
