"""A small DCGAN on digits, for `ggdr sweep`: any loss, and GGDR by one flag, `--regularizers.ggdr ggdr`.

The pair of `recipes/zoo/dcgan.py`. The decoder around D is not there until a term asks for maps: without GGDR the
networks are that recipe's, weight by weight. docs/sweep.md sweeps it over the hyperparameters of "Are GANs created
equal?" (Lucic et al. 2018, arXiv 1711.10337), whose networks are InfoGAN's, on larger data.
"""

from digits import recipe as digits

from ggdr.data.digits import Digits
from ggdr.losses.non_saturating import NonSaturating
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

recipe = Recipe(
    data=Digits(size=32),
    generator=DCGANGeneratorConfig(channels=16),
    discriminator=UNetDiscriminatorConfig(encoder=DCGANDiscriminatorConfig(channels=16)),
    loss=NonSaturating(),
    g_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.999),
    batch_size=32,
    total_kimg=20.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=0.0,
    about=digits.about,
)
