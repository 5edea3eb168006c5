"""Emoji by two transformers, in pixels: GAT on OpenMoji (Hyun et al. 2026, arXiv 2509.24935), on two cores of a CPU.

`pip install 'ggdr[openmoji]'` brings the emoji. Patches of 4 px make 64 tokens of an image of 32 px; four blocks of 128
channels, one before each head. Loss, penalties, noise, betas, clipping and the rule of the learning rate are GAT's: at
this width and a batch of 32 it is 3e-4. GGDR on tokens is one flag, `--regularizers.ggdr ggdr`, and so is the alignment
of D's tokens with a frozen network's features, `--regularizers.repa repa --regularizers.repa.extractor emoji`.

Differences from the paper: pixels instead of a VAE's latents; no classes; no alignment with DINOv2; mirror images are
in the data instead of in the augmentation; the running mean's half-life is 1 kimg. Length, batch and sizes are ours.

On one thread of an Intel Xeon a kimg takes about 50 s of CPU time. Nobody has trained the whole of it yet: one run,
seed 0, that was stopped after 4.7 kimg, 148 steps, had come to blobs of colour over white.
"""

from ggdr.augment.diffaug import DiffAugment
from ggdr.data.openmoji import OpenMoji
from ggdr.losses.relativistic import Relativistic
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.gat import GATDiscriminatorConfig, GATGeneratorConfig, learning_rate
from ggdr.networks.mng import MNGDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.r1_approximate import R1Approximate
from ggdr.regularizers.r2_approximate import R2Approximate

BATCH, WIDTH = 32, 128
ADAM = Adam(lr=learning_rate(WIDTH, BATCH), beta1=0.0, beta2=0.99, eps=1e-8, clip_norm=1.0)

recipe = Recipe(
    data=OpenMoji(size=32, skin_tones=False, mirror=True),
    generator=GATGeneratorConfig(depth=4, width=WIDTH, attention_heads=4, patch=4),
    # Without a term that reads its decoder it has none; so GGDR is one flag.
    discriminator=UNetDiscriminatorConfig(
        encoder=MNGDiscriminatorConfig(encoder=GATDiscriminatorConfig(depth=4, width=WIDTH, attention_heads=4, patch=4))
    ),
    loss=Relativistic(),
    regularizers={"r1_approximate": R1Approximate(weight=0.1), "r2_approximate": R2Approximate(weight=0.1)},
    augment=DiffAugment(colour_share=0.5),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=BATCH,
    total_kimg=40.0,
    ema_kimg=1.0,
    sample_kimg=4.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
    about=About(
        sources=("openmoji",),
        name="OpenMoji",
        url="https://openmoji.org",
        images="emoji of OpenMoji 17 in colour, drawn from SVG over white",
        licence="CC BY-SA 4.0; all emoji are designed by OpenMoji, the open-source emoji and icon project",
        limits="Emoji of one style. A demonstration: what it makes beyond them nobody has looked at.",
    ),
)
