"""Projected GAN on handwritten digits: D sees the features of a frozen network (Sauer et al. 2021, arXiv 2111.01007).

The features are random here, a stand-in: pretrained ones need a download. What the paper is about is one flag away,
    --discriminator.weights pretrained
and its own network another, --discriminator.model tf_efficientnet_lite1.in1k. Smaller than there, too: a network of
370 thousand weights at 64 px, judges of 64 channels, and DCGAN's generator where it has FastGAN's. The learning
rates and beta1, 0.0002 and 0 there, are for a short run.
"""

from ggdr.augment.diffaug import DiffAugment
from ggdr.data.digits import Digits
from ggdr.losses.hinge import Hinge
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.timm import TimmDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32),
    generator=DCGANGeneratorConfig(channels=32),
    discriminator=TimmDiscriminatorConfig(model="test_resnet.r160_in1k", weights="random", resolution=64, channels=64),
    loss=Hinge(),
    augment=DiffAugment(),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.99),
    d_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.99),
    batch_size=32,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
