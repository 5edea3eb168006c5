"""An adversarial autoencoder on digits: codes in the plane, distributed as ten petals, a petal for each class.

"Adversarial Autoencoders" (Makhzani et al. 2015, arXiv 1511.05644), figure 4a, on scikit-learn's digits in place of
MNIST: the discriminator of codes is told the digit, beside a sample of the digit's own petal, so that the label says
where in the plane an image lies and the code how it is written. `--game.prior swiss_roll` is figure 4c, and
`--data.no-labels` leaves the labels out, so that the encoder finds petals for itself.

Unlike the paper: convolutional encoder and decoder in place of two layers of 1000 units; all digits have labels (the
paper keeps 50,000 of 60,000 without); Adam in place of SGD with momentum. 297 digits are held out for
`ggdr encode`, reconstructions and numbers.
"""

from digits import recipe as digits

from ggdr.data.digits import Digits
from ggdr.games.autoencoder import AutoencoderGame
from ggdr.losses.non_saturating import NonSaturating
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.mlp import MLPDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.priors.mixture import Mixture
from ggdr.recipe import Recipe
from ggdr.regularizers.image_reconstruction import ImageReconstruction

recipe = Recipe(
    data=Digits(size=32, labels=True, hold_out=297),
    generator=DCGANGeneratorConfig(z_dim=2, channels=16),
    discriminator=MLPDiscriminatorConfig(channels=256, layers=2, labels="concat"),
    game=AutoencoderGame(encoder=ConvEncoderConfig(channels=16), prior=Mixture(), labels="prior"),
    loss=NonSaturating(),
    regularizers={"image_reconstruction": ImageReconstruction()},
    e_optimizer=Adam(lr=0.001, beta1=0.9, beta2=0.999),
    g_optimizer=Adam(lr=0.0003, beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=0.0003, beta1=0.5, beta2=0.999),
    batch_size=64,
    total_kimg=60.0,
    ema_kimg=1.0,
    sample_kimg=20.0,
    checkpoint_kimg=30.0,
    metric_kimg=0.0,
    about=digits.about,
)
