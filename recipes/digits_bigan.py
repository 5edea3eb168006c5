"""BiGAN on digits: an encoder beside the generator, and a discriminator of images together with their codes.

"Adversarial Feature Learning" (Donahue et al. 2017, arXiv 1605.09782), section 3, on scikit-learn's digits in place of
MNIST. `--game.encoder.stochastic` is ALI, "Adversarially Learned Inference" (Dumoulin et al. 2017, arXiv 1606.00704).
GGDR (arXiv 2207.13320) is on: D redraws G's 8 px maps. The grid `reconstruction` shows digits that are held out and
what becomes of them on the way to their codes and back, which no term asks for.

Unlike the papers: D is told codes by an inner product with its last maps, as it is told labels, and not in its layers;
codes are normal, not uniform as BiGAN's on MNIST; convolutional networks at 16 px.
"""

from digits import recipe as digits

from ggdr.data.digits import Digits
from ggdr.games.bidirectional import BidirectionalGame
from ggdr.losses.non_saturating import NonSaturating
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.ggdr import GGDR

recipe = Recipe(
    data=Digits(size=16, hold_out=297),
    generator=DCGANGeneratorConfig(z_dim=16, channels=16),
    discriminator=UNetDiscriminatorConfig(encoder=DCGANDiscriminatorConfig(channels=16)),
    game=BidirectionalGame(encoder=ConvEncoderConfig(channels=16)),
    loss=NonSaturating(),
    regularizers={"ggdr": GGDR(resolutions=(8,))},
    g_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.999),
    batch_size=32,
    total_kimg=60.0,
    ema_kimg=1.0,
    sample_kimg=20.0,
    checkpoint_kimg=30.0,
    metric_kimg=0.0,
    about=digits.about,
)
