"""BEGAN on handwritten digits: the errors of an autoencoder in equilibrium (Berthelot et al. 2017, arXiv 1703.10717).

D redraws images; the loss steers k so that fakes' errors are gamma times those of reals, and logs the measure of
convergence. Smaller than there: 32 px, 32 channels at half of the image; strided convolutions and leaky ReLU where it
has subsampling and ELU, DCGAN's generator where it has D's decoder, and no decay of the learning rate. The controller
is 20 times as fast as the paper's 0.001, for a run of 300 steps. The running mean of G's weights is not the paper's.
"""

from ggdr.data.digits import Digits
from ggdr.losses.began import BEGAN
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.autoencoder import AutoencoderDiscriminatorConfig
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32),
    generator=DCGANGeneratorConfig(channels=32),
    discriminator=AutoencoderDiscriminatorConfig(channels=32, error="absolute"),
    loss=BEGAN(gamma=0.5, lambda_k=0.02),
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
