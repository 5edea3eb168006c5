"""Small pictures of emoji four times as large: ESRGAN on OpenMoji (Wang et al. 2018, arXiv 1809.00219).

Data and measures are those of recipes/openmoji_srgan.py.

Smaller than the paper's: 32 channels, 3 residual blocks of dense blocks, and D and the stand-in for VGG of
recipes/openmoji_srgan.py, here before its activation.

The paper trains by pixels alone first, and blends what is learned then with the GAN that begins there:
  ggdr train recipes/openmoji_esrgan.py --discriminator none --loss none --regularizers.perceptual none --out runs/l1
  ggdr train recipes/openmoji_esrgan.py --init-from runs/l1 --out runs/esrgan
  ggdr blend runs/l1 runs/esrgan --amount 0.8 --out models/esrgan-0.8
"""

from dataclasses import replace

from openmoji_srgan import recipe as srgan

from ggdr.features.emoji import Emoji
from ggdr.losses.relativistic_average import RelativisticAverage
from ggdr.networks.rrdb import RRDBTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.regularizers.l1 import L1Distance
from ggdr.regularizers.perceptual import Perceptual
from ggdr.schedules.linear import Linear

KIMG = 40.0
ADAM = Adam(lr=Linear(start=2e-4, kimg=KIMG / 2, hold_kimg=None), beta1=0.9, beta2=0.99)

recipe = replace(
    srgan,
    generator=RRDBTranslatorConfig(channels=32, growth=16, blocks=3),
    loss=RelativisticAverage(),
    regularizers={
        "l1": L1Distance(weight=10.0),
        "perceptual": Perceptual(weight=50.0, extractor=Emoji(), layers=("conv3",), distance="l1"),
    },
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    total_kimg=KIMG,
)
