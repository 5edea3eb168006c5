"""Emoji by their names: stage I of StackGAN on OpenMoji (Zhang et al. 2017, arXiv 1612.03242).

`pip install 'ggdr[openmoji]'` brings the emoji; the texts are the words of their Unicode names, as a bag of words. The
generator draws the code that it is told about each text (`conditioning_augmentation`, `kl`), and the discriminator
learns that a real under another one's text is wrong (`mismatched`). Sixteen for each text:

  ggdr generate runs/stackgan --text "red heart" "black cat" "smiling face" --seeds 0-15 --out best_of_16.png

Differences from the paper: words instead of embeddings of sentences; DCGAN's networks at 32 px; codes of 32 numbers
instead of 128; the discriminator takes labels by projection; fakes keep their weight beside wrong pairs; ten times the
rate, which stays. Stage II is recipes/openmoji_stackgan2.py. GGDR: `--regularizers.ggdr ggdr`.
"""

from openmoji_semantic import recipe as semantic

from ggdr.data.openmoji import OpenMoji
from ggdr.losses.non_saturating import NonSaturating
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.conditioning_augmentation import ConditioningAugmentationGeneratorConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.kl import KLDivergence
from ggdr.regularizers.mismatched import Mismatched

CODES = 32

recipe = Recipe(
    data=OpenMoji(size=32, skin_tones=False, labels="names", mirror=True),
    generator=ConditioningAugmentationGeneratorConfig(generator=DCGANGeneratorConfig(channels=32), width=CODES),
    discriminator=UNetDiscriminatorConfig(encoder=DCGANDiscriminatorConfig(channels=32)),
    loss=NonSaturating(),
    regularizers={"kl": KLDivergence(weight=2 / CODES), "mismatched": Mismatched()},
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.002, beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=0.002, beta1=0.5, beta2=0.999),
    batch_size=32,
    total_kimg=60.0,
    ema_kimg=2.0,
    sample_kimg=10.0,
    checkpoint_kimg=20.0,
    metric_kimg=20.0,
    about=semantic.about,
)
