"""FFHQ at 256 x 256 px: R3GAN (Huang et al. 2024, arXiv 2501.05441), by the numbers of its published program.

Target: FID
  R3GAN        2.75

Data: 70,000 aligned faces. The 1024 px originals are shrunk on the fly; a copy shrunk to 256 px reads faster:
  accelerate launch --num_processes 8 -m ggdr.train recipes/r3gan_ffhq256.py --data.source FOLDER_OR_ZIP_OR_HUB_ID
Say that they are FFHQ by `--about.name FFHQ`: then model cards say of them what this recipe says, else nothing.

Gamma, that of R1 and of R2, falls from 150 to 15. It is what to look at first on other images: the published ones go
from 0.05 (CIFAR-10, 32 px) by 2 (FFHQ, 64 px) to this. Five numbers move, each by half a cosine over 20,000 kimg, and
then stay: gamma, both learning rates (2e-4 to 5e-5), Adam's second decay (0.9 to 0.99), the half-life of the running
mean (0 to 500 kimg) and ADA's p (0 to 0.3), whose colours fire half as often as the rest.

R1 and R2 at every step make D's turn slow. `--regularizers.r1.every 8 --regularizers.r2.every 8` makes it faster, and
by its author's word FID only slightly worse, without the guarantee of convergence.

The published setting: 8 GPUs with 32 images each, a batch of 256. On fewer GPUs nothing changes but time, with
`--micro-batch-size 32`.

Differences from the published program:
- D's turn is float32 throughout, since R1 and R2 differentiate a gradient; there, as here in G's turn, the four highest
  resolutions are bf16.
- 20,000 kimg, the length of the schedules: the published program goes on with their last numbers until it is stopped.
- Of its ADA nothing is known here but transforms, strengths and p: the draws are those of ADA's paper.

Every 200 kimg the sliced Wasserstein distance is measured, which needs no weights; FID by `--metrics.fid fid`.
"""

from dataclasses import replace

from ffhq256 import recipe as ffhq256

from ggdr.augment.ada import ADA
from ggdr.data.images import ImageFiles
from ggdr.games.standard import StandardGame
from ggdr.losses.relativistic import Relativistic
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.r3gan import R3GANDiscriminatorConfig, R3GANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r2 import R2
from ggdr.schedules.cosine import Cosine

KIMG = 20_000.0
WIDTHS = (768, 768, 768, 768, 384, 192, 96)
GAMMA = Cosine(start=150.0, end=15.0, kimg=KIMG)
ADAM = Adam(
    lr=Cosine(start=2e-4, end=5e-5, kimg=KIMG), beta1=0.0, beta2=Cosine(start=0.9, end=0.99, kimg=KIMG), eps=1e-8
)

recipe = Recipe(
    data=ImageFiles(size=256, channels=3, mirror=True),
    generator=R3GANGeneratorConfig(z_dim=64, widths=WIDTHS),
    discriminator=R3GANDiscriminatorConfig(widths=WIDTHS),
    loss=Relativistic(),
    regularizers={"r1": R1(weight=GAMMA, every=1), "r2": R2(weight=GAMMA, every=1)},
    augment=ADA(
        pipeline=("blit", "geometry", "colour", "cutout"),
        strengths=(1.0, 1.0, 0.5, 1.0),
        fixed_p=Cosine(start=0.0, end=0.3, kimg=KIMG),
    ),
    game=StandardGame(fresh_reals=True),
    metrics={"swd": SlicedWasserstein()},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=256,
    total_kimg=KIMG,
    ema_kimg=Cosine(start=0.0, end=500.0, kimg=KIMG),
    ema_rampup=None,
    precision="bf16",
    bf16_stages=4,
    num_workers=4,
    log_kimg=4.0,
    sample_kimg=200.0,
    about=replace(
        ffhq256.about,
        paper="2501.05441",
        table="as its authors' model card gives it",
        metric="FID",
        figures={"R3GAN": "2.75"},
        note="One published training.",
    ),
)
