"""EBGAN with its pulling-away term on handwritten digits: D is an autoencoder (Zhao et al. 2017, arXiv 1609.03126).

Minus the reconstruction error is the logit; the hinge `ebgan` asks fakes to have an error of at least the margin, and
`pulling_away` the fakes of a batch to differ for D's encoder. Smaller than there: 32 px, 32 channels at half of the
image and 64 numbers of code. The margin suits a mean over pixels and digits that fill a small part of their image.
The running mean of G's weights is not the paper's.
"""

from ggdr.data.digits import Digits
from ggdr.losses.ebgan import EBGAN
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.autoencoder import AutoencoderDiscriminatorConfig
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.pulling_away import PullingAway

recipe = Recipe(
    data=Digits(size=32),
    generator=DCGANGeneratorConfig(channels=32),
    discriminator=AutoencoderDiscriminatorConfig(channels=32, error="squared", norm="batch"),
    loss=EBGAN(margin=0.25),
    regularizers={"pulling_away": PullingAway(weight=0.1)},
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
