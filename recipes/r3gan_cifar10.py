"""CIFAR-10 at 32 x 32 px: class-conditional R3GAN (Huang et al. 2024, arXiv 2501.05441), as published.

Target: FID
  R3GAN        1.96

Data: the 50,000 training images. On the Hub as uoft-cs/cifar10 (image column `img`, classes in `label`):
  accelerate launch --num_processes 8 -m ggdr.train recipes/r3gan_cifar10.py --data.source uoft-cs/cifar10
or a folder with a sub-folder a class, with `--data.labels folders --about.name CIFAR-10`. `--data.labels ""` leaves the
classes out, which the published program also does.

Gamma, that of R1 and of R2, falls from 0.05 to 0.005; ADA's p comes to 0.55, and the running mean's half-life to 5,000
kimg. The three highest of four resolutions are bf16 in G's turn. The published setting: 8 GPUs with 64 images each, a
batch of 512. The other numbers, schedules, lengths and differences from the published program are those of
`r3gan_ffhq256.py`, which has the words to them; and fakes have the labels of the reals that they meet.
"""

from dataclasses import replace

from cifar10 import recipe as cifar10
from r3gan_ffhq256 import KIMG
from r3gan_ffhq256 import recipe as ffhq256

from ggdr.data.images import ImageFiles
from ggdr.networks.r3gan import R3GANDiscriminatorConfig, R3GANGeneratorConfig
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r2 import R2
from ggdr.schedules.cosine import Cosine

WIDTHS = (768, 768, 768, 768)
GAMMA = Cosine(start=0.05, end=0.005, kimg=KIMG)

recipe = replace(
    ffhq256,
    data=ImageFiles(size=32, channels=3, labels="label", mirror=True),
    generator=R3GANGeneratorConfig(z_dim=64, label_dim=64, widths=WIDTHS),
    discriminator=R3GANDiscriminatorConfig(widths=WIDTHS),
    regularizers={"r1": R1(weight=GAMMA, every=1), "r2": R2(weight=GAMMA, every=1)},
    augment=replace(ffhq256.augment, fixed_p=Cosine(start=0.0, end=0.55, kimg=KIMG)),
    batch_size=512,
    ema_kimg=Cosine(start=0.0, end=5000.0, kimg=KIMG),
    bf16_stages=3,
    about=replace(
        cifar10.about,
        paper="2501.05441",
        table="as its authors' model card gives it",
        metric="FID",
        figures={"R3GAN, with classes": "1.96"},
        note="One published training.",
    ),
)
