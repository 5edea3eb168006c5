"""ImageNet at 256 x 256 px in latents: GAT-XL/2 (Hyun et al. 2026, arXiv 2509.24935).

Target: FID of 50,000 images, in one step, 60 epochs
  GAT-XL/2     2.18

Data: latents of the 1,281,167 training images by the autoencoder of Stable Diffusion (`stabilityai/sd-vae-ft-ema`): 4
channels of 32 x 32, times 0.18215, drawn afresh from their mean and deviation at each step. **No data set of ggdr reads
them yet**: what stands here, pictures of 32 px with four channels in a folder a class, has their shape alone, so that
the rest can be tried:
  ggdr train recipes/gat_imagenet256_xl.py --data.source FOLDER --out runs/gat --dry-run

Gamma, that of both penalties by finite differences, is 0.1. 28 blocks of 1152 channels on either side, and the learning
rate that belongs to that width: 2e-4 * 768 / 1152. The published setting: a batch of 512, 60 epochs of 2,502 steps.
Blocks are computed again in the backward pass, and bf16 is on. Sizes L, B and S are the recipes beside this.

Differences from the published program:
- no alignment of D's tokens with DINOv2, which it calls a noticeable loss: that network has to see the picture, of
  which a latent is not one. In pixels it is `--regularizers.repa repa`;
- of four channels the last is taken for opacity, whose colours stay;
- the penalties' noise is 0.1 instead of 0.01, since the blocks in between compute in bf16;
- D's first and last layers and G's heads are float32; whether they are there we do not know.
"""

from dataclasses import replace

from r3gan_imagenet32 import recipe as imagenet32

from ggdr.augment.diffaug import DiffAugment
from ggdr.data.images import ImageFiles
from ggdr.losses.relativistic import Relativistic
from ggdr.networks.gat import SIZES, GATDiscriminatorConfig, GATGeneratorConfig, learning_rate
from ggdr.networks.mng import MNGDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adamw import AdamW
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.r1_approximate import R1Approximate
from ggdr.regularizers.r2_approximate import R2Approximate

BATCH, IMAGES, EPOCHS = 512, 1_281_167, 60
HALF_LIFE_KIMG = 354.7  # an average that keeps 0.999 a step of 512 images


def of_size(size: str, about: About) -> Recipe:
    """GAT of a published size."""
    shape = SIZES[size]._asdict()
    rate = learning_rate(SIZES[size].width, BATCH)
    adam = AdamW(lr=rate, beta1=0.0, beta2=0.99, eps=1e-8, weight_decay=0.0, clip_norm=1.0)
    judge = GATDiscriminatorConfig(**shape, checkpointing=True)
    return Recipe(
        data=ImageFiles(size=32, channels=4, labels="folders"),
        generator=GATGeneratorConfig(**shape, checkpointing=True),
        discriminator=UNetDiscriminatorConfig(encoder=MNGDiscriminatorConfig(encoder=judge)),
        loss=Relativistic(),
        regularizers={
            "r1_approximate": R1Approximate(weight=0.1, sigma=0.1),
            "r2_approximate": R2Approximate(weight=0.1, sigma=0.1),
        },
        augment=DiffAugment(colour_share=0.5, mirror_share=0.4),
        g_optimizer=adam,
        d_optimizer=adam,
        batch_size=BATCH,
        total_kimg=float(EPOCHS * IMAGES // 1000),
        ema_kimg=HALF_LIFE_KIMG,
        ema_rampup=None,
        precision="bf16",
        num_workers=4,
        metric_kimg=0.0,
        sample_kimg=500.0,
        checkpoint_kimg=1000.0,
        about=about,
    )


ABOUT = replace(imagenet32.about, paper="", table="", metric="", figures={}, note="")
recipe = of_size(
    "xl",
    replace(
        ABOUT,
        paper="2509.24935",
        table="abstract",
        metric="FID of 50,000 images",
        figures={"GAT-XL/2, 60 epochs": "2.18"},
        note="One published training.",
    ),
)
