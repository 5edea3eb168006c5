"""AutoGAN on digits: the generator found for CIFAR-10, with the hinge loss (Gong et al. 2019, arXiv 1908.03835).

Five turns of D for one of G, Adam with beta1 0 and beta2 0.9, spectral normalization, as in the paper. Smaller than
there: 32 channels instead of 256. Differences: D is DCGAN's instead of SNGAN's residual one; the learning rate is 0.001
instead of 0.0002, for a short run; a running mean of G's weights.
"""

from ggdr.data.digits import Digits
from ggdr.losses.hinge import Hinge
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.autogan import AutoGANGeneratorConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32),
    generator=AutoGANGeneratorConfig(z_dim=64, channels=32),
    discriminator=DCGANDiscriminatorConfig(channels=16, norm="spectral"),
    loss=Hinge(),
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.001, beta2=0.9),
    d_optimizer=Adam(lr=0.001, beta2=0.9),
    batch_size=32,
    n_critic=5,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
