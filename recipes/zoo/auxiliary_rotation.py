"""SS-GAN: the discriminator also tells by how much an image was turned (Chen et al. 2019, arXiv 1811.11212).

Smaller than there: 32 px gray digits, 10 kimg at a high rate, 32 channels, spectral normalization.
"""

from ggdr.data.digits import Digits
from ggdr.losses.hinge import Hinge
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.auxiliary_rotation import AuxiliaryRotation

recipe = Recipe(
    data=Digits(size=32),
    generator=DCGANGeneratorConfig(z_dim=64, channels=32),
    discriminator=UNetDiscriminatorConfig(encoder=DCGANDiscriminatorConfig(channels=32, norm="spectral")),
    loss=Hinge(),
    regularizers={"auxiliary_rotation": AuxiliaryRotation()},
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
