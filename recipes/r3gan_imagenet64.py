"""ImageNet at 64 x 64 px: class-conditional R3GAN (Huang et al. 2024, arXiv 2501.05441), as published.

Target: FID
  R3GAN        2.09

Data: the 1,281,167 training images, in a sub-folder a class, best shrunk to 64 px beforehand:
  accelerate launch --num_machines 8 --num_processes 64 -m ggdr.train recipes/r3gan_imagenet64.py \
      --data.source FOLDER_OR_ZIP_OR_HUB_ID

Gamma, that of R1 and of R2, falls from 1 to 0.1; ADA's p comes to 0.4. The four highest of five resolutions are bf16 in
G's turn. The published setting: 64 GPUs with 64 images each, a batch of 4096. The other numbers, schedules, lengths and
differences from the published program are those of `r3gan_imagenet32.py`.
"""

from dataclasses import replace

from r3gan_imagenet32 import KIMG
from r3gan_imagenet32 import recipe as imagenet32

from ggdr.data.images import ImageFiles
from ggdr.networks.r3gan import R3GANDiscriminatorConfig, R3GANGeneratorConfig
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r2 import R2
from ggdr.schedules.cosine import Cosine

WIDTHS = (1536, 1536, 1536, 1536, 1536)
GAMMA = Cosine(start=1.0, end=0.1, kimg=KIMG)

recipe = replace(
    imagenet32,
    data=ImageFiles(size=64, channels=3, labels="folders", mirror=True),
    generator=R3GANGeneratorConfig(z_dim=64, label_dim=64, widths=WIDTHS, group_size=32),
    discriminator=R3GANDiscriminatorConfig(widths=WIDTHS, group_size=32),
    regularizers={"r1": R1(weight=GAMMA, every=1), "r2": R2(weight=GAMMA, every=1)},
    augment=replace(imagenet32.augment, fixed_p=Cosine(start=0.0, end=0.4, kimg=KIMG)),
    bf16_stages=4,
    about=replace(imagenet32.about, figures={"R3GAN, with classes": "2.09"}),
)
