"""Skin tones from examples, one of them never seen: FUNIT on OpenMoji (Liu et al. 2019, arXiv 1905.01723).

People and hands in four tones: `pip install 'ggdr[openmoji]'` brings them. A tone is shown by a picture, not named, so
that a tone which no training picture had may be asked for. A third of the drawings is held out, and grids are of that
third: input, output, and the picture whose tone it is to have. For the tone that nothing was learned from:
  ggdr translate runs/funit INPUT.png --style PICTURE_OF_MEDIUM_TONE.png --out made

Smaller than there: 32 px instead of 128, a quarter of the channels, two halvings, class codes of 8 numbers instead of
64. Batches of 8 instead of 64; three times the rate. R1 runs at each fourth step, four times as strong.
"""

from openmoji_pix2pix import recipe as pix2pix

from ggdr.data.openmoji import OpenMoji
from ggdr.games.few_shot import FewShotGame
from ggdr.losses.hinge import Hinge
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.funit import FUNITDiscriminatorConfig, FUNITTranslatorConfig
from ggdr.optimizers.rmsprop import RMSProp
from ggdr.recipe import Recipe
from ggdr.regularizers.class_feature_matching import ClassFeatureMatching
from ggdr.regularizers.identity import Identity
from ggdr.regularizers.r1 import R1
from ggdr.schedules.linear import Linear

TONES = ("light", "medium-light", "medium-dark", "dark")
RMSPROP = RMSProp(lr=Linear(start=3e-4, kimg=8, hold_kimg=None))

recipe = Recipe(
    data=OpenMoji(size=32, groups=("people",), labels="tones", tones=TONES, mirror=True),
    game=FewShotGame(),
    generator=FUNITTranslatorConfig(channels=16, z_dim=8, halvings=2, style_halvings=3, mlp_channels=64),
    discriminator=FUNITDiscriminatorConfig(channels=16, halvings=3),
    loss=Hinge(),
    regularizers={
        "r1": R1(weight=10.0, every=4),
        "identity": Identity(weight=0.1),
        "class_feature_matching": ClassFeatureMatching(weight=1.0),
    },
    metrics={"swd": SlicedWasserstein()},
    g_optimizer=RMSPROP,
    d_optimizer=RMSPROP,
    batch_size=8,
    total_kimg=16.0,
    ema_kimg=2.0,
    sample_kimg=4.0,
    checkpoint_kimg=4.0,
    metric_kimg=4.0,
    sample_images=24,
    about=pix2pix.about,
)
