"""Line drawings to colour and back by discriminators that encode: NICE-GAN on OpenMoji (Chen et al. 2020,
arXiv 2003.00273).

Trained and measured as recipes/openmoji_cyclegan.py, whose page says what the pictures are.
"""

from openmoji_pix2pix import recipe as pix2pix

from ggdr.data.openmoji import OpenMoji
from ggdr.games.shared_encoder import SharedEncoderGame
from ggdr.losses.least_squares import LeastSquares
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.ssim import SSIM
from ggdr.networks.nice import NICEDiscriminatorConfig, NICETranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.identity import Identity
from ggdr.schedules.linear import Linear

GROUPS = ("smileys", "people", "animals", "food", "travel", "activities", "objects")

recipe = Recipe(
    data=OpenMoji(task="unpaired", size=32, groups=GROUPS, skin_tones=False, mirror=True),
    game=SharedEncoderGame(),
    generator=NICETranslatorConfig(channels=32, blocks=3),
    discriminator=NICEDiscriminatorConfig(channels=32, halvings=1, global_halvings=1),
    loss=LeastSquares(),
    regularizers={"cycle": CycleConsistency(weight=5.0), "identity": Identity(weight=5.0)},
    metrics={"l1": MeanAbsoluteError(), "ssim": SSIM()},
    g_optimizer=Adam(lr=Linear(start=2e-4, kimg=5, hold_kimg=None), beta1=0.5, beta2=0.999, weight_decay=1e-4),
    d_optimizer=Adam(lr=Linear(start=2e-4, kimg=5, hold_kimg=None), beta1=0.5, beta2=0.999, weight_decay=1e-4),
    batch_size=4,
    total_kimg=12.0,
    ema_kimg=0.0,
    sample_kimg=4.0,
    checkpoint_kimg=4.0,
    metric_kimg=4.0,
    about=pix2pix.about,
)
