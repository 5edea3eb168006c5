"""An encoder of one's own generator: the style codes of digits, found at one look (game `encoder`).

Train a generator first, such as `ggdr train digits --data.hold-out 297 --out runs/digits`, then this one on it: `ggdr
train digits_encoder --game.generator runs/digits --out runs/encoder`. `ggdr project runs/digits digit.png --encoder
runs/encoder` starts from the code that it finds, and `--steps 0` leaves it at that.

Images of the generator, whose codes are known, come beside reals, whose codes are not: `latent_regression` (Antipov et
al. 2017, arXiv 1702.01983) is of the former, `image_reconstruction` and a distance of features, as in pSp (Richardson
et al. 2021, arXiv 2008.00951), of both. Features are those of a small classifier of digits, which needs no download; of
photographs take `--regularizers.perceptual.extractor lpips`. 297 digits are held out for the numbers in docs/using.md.
"""

from digits import recipe as digits

from ggdr.data.digits import Digits
from ggdr.features.digits import Digits as DigitFeatures
from ggdr.games.encoder import EncoderGame
from ggdr.losses.none import NoLoss
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.none import NoDiscriminatorConfig, NoGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.image_reconstruction import ImageReconstruction
from ggdr.regularizers.latent_regression import LatentRegression
from ggdr.regularizers.perceptual import Perceptual

recipe = Recipe(
    data=Digits(size=32, hold_out=297),
    generator=NoGeneratorConfig(),
    discriminator=NoDiscriminatorConfig(),
    game=EncoderGame(generator="runs/digits", encoder=ConvEncoderConfig(channels=32)),
    loss=NoLoss(),
    regularizers={
        "latent_regression": LatentRegression(weight=0.1),
        "image_reconstruction": ImageReconstruction(),
        "perceptual": Perceptual(extractor=DigitFeatures(), layers=(), weight=0.1),
    },
    g_optimizer=Adam(lr=0.001, beta1=0.9, beta2=0.999),
    batch_size=32,
    total_kimg=30.0,
    ema_kimg=1.0,
    sample_kimg=10.0,
    checkpoint_kimg=10.0,
    metric_kimg=0.0,
    about=digits.about,
)
