"""AC-GAN: the discriminator also tells the class (Odena et al. 2017, arXiv 1610.09585).

As there, the discriminator is not shown the class. Smaller: 32 px gray digits, 10 kimg at a high rate, 32 channels,
spectral normalization.
"""

from ggdr.data.digits import Digits
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.conditional import UnconditionalDiscriminatorConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.auxiliary_classifier import AuxiliaryClassifier

recipe = Recipe(
    data=Digits(size=32, labels=True),
    generator=DCGANGeneratorConfig(z_dim=64, channels=32),
    discriminator=UNetDiscriminatorConfig(
        encoder=UnconditionalDiscriminatorConfig(encoder=DCGANDiscriminatorConfig(channels=32, norm="spectral"))
    ),
    regularizers={"auxiliary_classifier": AuxiliaryClassifier()},
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
