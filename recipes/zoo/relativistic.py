"""Relativistic GAN (RSGAN) on digits: D says how much more real the real looks than the fake (arXiv 1807.00734).

The paper's pairing loss and beta1 of 0.5. Smaller than there: the pair is that of `recipes/zoo/dcgan.py`. Unlike the
paper's CIFAR runs, D has batch normalization: with spectral normalization this small D won at once, and G made one
image. Samples are drawn from a running mean of G's weights, which the paper has not.
"""

from ggdr.data.digits import Digits
from ggdr.losses.relativistic import Relativistic
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32),
    generator=DCGANGeneratorConfig(channels=16),
    discriminator=DCGANDiscriminatorConfig(channels=16),
    loss=Relativistic(),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.999),
    batch_size=32,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
