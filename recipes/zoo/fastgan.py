"""FastGAN on digits: skip-layer excitation, and a D that draws its reals again (Liu et al. 2021, arXiv 2101.04775).

Smaller than there: 32 px, 64 to 8 channels where the paper's networks have up to 1024, one excitation, from 8 to 32 px,
where there are three, 10 kimg. Hinge loss and DiffAugment are the paper's; the distance of what is drawn from what was
seen is plain, not LPIPS, whose weights are a download. Batch 32 instead of 8, and a learning rate of 0.0005 (ours).
"""

from ggdr.augment.diffaug import DiffAugment
from ggdr.data.digits import Digits
from ggdr.features.plain import Pixels
from ggdr.losses.hinge import Hinge
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.fastgan import FastGANDiscriminatorConfig, FastGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.reconstruction import FastGANReconstruction

recipe = Recipe(
    data=Digits(size=32),
    generator=FastGANGeneratorConfig(z_dim=64, channel_base=256, channel_max=64),
    discriminator=FastGANDiscriminatorConfig(channel_base=256, channel_max=64, decoder_channels=16),
    loss=Hinge(),
    regularizers={"reconstruction": FastGANReconstruction(extractor=Pixels(side_px=32))},
    augment=DiffAugment(),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.0005, beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=0.0005, beta1=0.5, beta2=0.999),
    batch_size=32,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
