"""Small pictures of emoji four times as large, as a judge takes for real: SRGAN on OpenMoji (Ledig et al. 2017, arXiv
1609.04802).

An emoji at 8 px is the source, the same at 32 px the target: `pip install 'ggdr[openmoji]'` brings them. Flags, symbols
and skin tones are left out. A third of the drawings is held out; grids and numbers are of that third, and measured
against the truth.

Smaller than there: 32 channels, 4 residual blocks, a D of three halvings and a dense layer of 256. VGG would have to be
fetched: `emoji`, a small classifier that is trained at first use, for a minute and a half, stands in for it. It knows
less, so squared differences of pixels remain beside.

The paper trains by pixels alone first, and so do these two commands:
  ggdr train recipes/openmoji_srgan.py --discriminator none --loss none --regularizers.perceptual none --out runs/pixels
  ggdr train recipes/openmoji_srgan.py --init-from runs/pixels --out runs/srgan
"""

from openmoji_pix2pix import recipe as pix2pix

from ggdr.data.openmoji import OpenMoji
from ggdr.features.emoji import Emoji
from ggdr.games.paired import PairedGame
from ggdr.losses.non_saturating import NonSaturating
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.psnr import PSNR
from ggdr.metrics.ssim import SSIM
from ggdr.networks.srgan import SRGANDiscriminatorConfig
from ggdr.networks.srresnet import SRResNetTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.l2 import L2Distance
from ggdr.regularizers.perceptual import Perceptual
from ggdr.schedules.linear import Linear

KIMG = 40.0
ADAM = Adam(lr=Linear(start=2e-4, kimg=KIMG / 2, hold_kimg=None), beta1=0.9, beta2=0.999)

recipe = Recipe(
    data=OpenMoji(task="super_resolution", size=32, groups=pix2pix.data.groups, skin_tones=False, mirror=True),
    game=PairedGame(conditional=False),
    generator=SRResNetTranslatorConfig(channels=32, blocks=4),
    discriminator=SRGANDiscriminatorConfig(channels=16, halvings=3, hidden=256),
    loss=NonSaturating(),
    regularizers={
        "l2": L2Distance(weight=20.0),
        "perceptual": Perceptual(weight=200.0, extractor=Emoji(), layers=("silu3",), distance="l2"),
    },
    metrics={"l1": MeanAbsoluteError(), "psnr": PSNR(), "ssim": SSIM()},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=8,
    total_kimg=KIMG,
    ema_kimg=0.0,
    sample_kimg=10.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
    about=pix2pix.about,
)
