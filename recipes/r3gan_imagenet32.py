"""ImageNet at 32 x 32 px: class-conditional R3GAN (Huang et al. 2024, arXiv 2501.05441), as published.

Target: FID
  R3GAN        1.27

Data: the 1,281,167 training images, in a sub-folder a class, best shrunk to 32 px beforehand:
  accelerate launch --num_machines 4 --num_processes 32 -m ggdr.train recipes/r3gan_imagenet32.py \
      --data.source FOLDER_OR_ZIP_OR_HUB_ID
or, of a data set of the Hub with a column of classes, `--data.labels label`. Say that they are ImageNet by
`--about.name ImageNet`. By what filter the images behind the published number were shrunk is not known here, and FID
sees the filter.

Gamma, that of R1 and of R2, falls from 0.5 to 0.05. All schedules take 200,000 kimg: learning rates (2e-4 to 5e-5),
Adam's second decay (0.9 to 0.99), the running mean's half-life (0 to 50,000 kimg) and ADA's p (0 to 0.5). The three
highest of four resolutions are bf16 in G's turn. The published setting: 32 GPUs with 128 images each, a batch of 4096.
Differences from the published program are those of `r3gan_ffhq256.py`, which has the words to them; and fakes have the
labels of the reals that they meet.
"""

from dataclasses import replace

from r3gan_ffhq256 import recipe as ffhq256

from ggdr.data.images import ImageFiles
from ggdr.networks.r3gan import R3GANDiscriminatorConfig, R3GANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe.about import About
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r2 import R2
from ggdr.schedules.cosine import Cosine

KIMG = 200_000.0
WIDTHS = (1536, 1536, 1536, 1536)
GAMMA = Cosine(start=0.5, end=0.05, kimg=KIMG)
ADAM = Adam(
    lr=Cosine(start=2e-4, end=5e-5, kimg=KIMG), beta1=0.0, beta2=Cosine(start=0.9, end=0.99, kimg=KIMG), eps=1e-8
)

recipe = replace(
    ffhq256,
    data=ImageFiles(size=32, channels=3, labels="folders", mirror=True),
    generator=R3GANGeneratorConfig(z_dim=64, label_dim=64, widths=WIDTHS, group_size=32),
    discriminator=R3GANDiscriminatorConfig(widths=WIDTHS, group_size=32),
    regularizers={"r1": R1(weight=GAMMA, every=1), "r2": R2(weight=GAMMA, every=1)},
    augment=replace(ffhq256.augment, fixed_p=Cosine(start=0.0, end=0.5, kimg=KIMG)),
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=4096,
    total_kimg=KIMG,
    ema_kimg=Cosine(start=0.0, end=50_000.0, kimg=KIMG),
    bf16_stages=3,
    about=About(
        sources=("",),
        name="ImageNet",
        url="https://www.image-net.org",
        images="photographs found on the web, of a thousand kinds of things, half of them animals and plants",
        licence="for research and education that is not commercial, by the terms on its page; the rights are with those"
        " who made the photographs",
        limits="Gathered by search engines: people are in many of the photographs, were not asked, and are shown as the"
        " web of 2009 showed them. Not for pictures of anybody real.",
        paper="2501.05441",
        table="as its authors' model card gives it",
        metric="FID",
        figures={"R3GAN, with classes": "1.27"},
        count=1_281_167,
        note="One published training.",
    ),
)
