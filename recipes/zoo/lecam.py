"""LeCam regularization beside the hinge loss, on few images (Tseng et al. 2021, arXiv 2104.03310).

Smaller than there: 32 px gray digits, 10 kimg at a high rate, 32 channels, spectral normalization.
A quarter of the digits, as the paper is about little data.
"""

from ggdr.data.digits import Digits
from ggdr.losses.hinge import Hinge
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.lecam import LeCam

recipe = Recipe(
    data=Digits(size=32, subset=450),
    generator=DCGANGeneratorConfig(z_dim=64, channels=32),
    discriminator=DCGANDiscriminatorConfig(channels=32, norm="spectral"),
    loss=Hinge(),
    regularizers={"lecam": LeCam()},
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
