"""An experiment, GGDR turned round: D's mean feature maps lead G (Salimans et al. 2016, arXiv 1606.03498, sec. 3.1).

Smaller than there: 32 px gray digits, 10 kimg at a high rate, 32 channels, spectral normalization.
The adversarial loss stays, which there gives way to feature matching.
"""

from ggdr.data.digits import Digits
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.feature_matching import FeatureMatching

recipe = Recipe(
    data=Digits(size=32),
    generator=DCGANGeneratorConfig(z_dim=64, channels=32),
    discriminator=DCGANDiscriminatorConfig(channels=32, norm="spectral"),
    regularizers={"feature_matching": FeatureMatching(resolutions=(8,))},
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
