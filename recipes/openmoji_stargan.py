"""Skin tones, each into each other by one generator: StarGAN on OpenMoji (Choi et al. 2018, arXiv 1711.09020).

People and hands in six tones, yellow among them: `pip install 'ggdr[openmoji]'` brings them. What is to change is
known, so a look shows whether it does: skin, and nothing else. A third of the drawings is held out, in all tones, and
grids are of that third: each row is a drawing, and it in every tone.

Smaller than there: 32 px instead of 128, 32 channels instead of 64, three residual blocks instead of six, four halvings
of D instead of six. Batches of 8 instead of 16, and three updates of D for one of G instead of five, since time is
short; twice the rate, which falls to zero over the second half, as there.
"""

from openmoji_pix2pix import recipe as pix2pix

from ggdr.data.openmoji import OpenMoji
from ggdr.games.relabelled import RelabelledGame
from ggdr.losses.wasserstein import Wasserstein
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.stargan import StarGANDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.auxiliary_classifier import AuxiliaryClassifier
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.wgan_gp import WGANGP
from ggdr.schedules.linear import Linear

TONES = ("no tone", "light", "medium-light", "medium", "medium-dark", "dark")
ADAM = Adam(lr=Linear(start=2e-4, kimg=30, hold_kimg=None), beta1=0.5, beta2=0.999)

recipe = Recipe(
    data=OpenMoji(size=32, groups=("people",), labels="tones", tones=TONES, mirror=True),
    game=RelabelledGame(),
    generator=ResnetTranslatorConfig(channels=32, blocks=3),
    discriminator=StarGANDiscriminatorConfig(channels=32, halvings=4),
    loss=Wasserstein(clip=0.0),
    regularizers={
        "wgan_gp": WGANGP(weight=10.0),
        "auxiliary_classifier": AuxiliaryClassifier(fakes=False),
        "cycle": CycleConsistency(weight=10.0),
    },
    metrics={"swd": SlicedWasserstein()},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=8,
    n_critic=3,
    total_kimg=60.0,
    ema_kimg=0.0,
    sample_kimg=20.0,
    checkpoint_kimg=20.0,
    metric_kimg=20.0,
    sample_images=24,
    about=pix2pix.about,
)
