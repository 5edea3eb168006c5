"""Label maps to colour pictures, several of each: OASIS on OpenMoji (Schönfeld et al. 2021, arXiv 2012.04781).

A map of an emoji's 28 colours, its background and its lines is the source, the emoji the target: `pip install
'ggdr[openmoji]'` brings them. A third of the drawings is held out; grids and numbers are of that third, and measured
against the truth. The discriminator tells the class of each pixel, so that no other distance is needed to hold the
picture to its map; what the map leaves open is drawn, for the image, for each class or for each pixel:
  ggdr translate RUN map.png --noise segment --seeds 0-3 --out made

Smaller than there: 32 px, a generator of 16 channels, of which 32 read the map in each normalization, codes of 16
numbers, a discriminator of 64 channels, and a running mean of 500 images; the rates are five times as high, and 2.5.
"""

from openmoji_spade import recipe as spade

from ggdr.games.paired import PairedGame
from ggdr.losses.segmentation import Segmentation
from ggdr.networks.oasis import OASISDiscriminatorConfig, OASISTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.labelmix import LabelMix

recipe = Recipe(
    data=spade.data,
    game=PairedGame(conditional=False),
    generator=OASISTranslatorConfig(channels=16, z_dim=16, hidden=32),
    discriminator=OASISDiscriminatorConfig(channels=64, channel_max=256),
    loss=Segmentation(),
    regularizers={"labelmix": LabelMix(weight=10.0)},
    metrics=spade.metrics,
    g_optimizer=Adam(lr=5e-4, beta1=0.0, beta2=0.999),
    d_optimizer=Adam(lr=1e-3, beta1=0.0, beta2=0.999),
    batch_size=8,
    total_kimg=16.0,
    ema_kimg=0.5,
    sample_kimg=4.0,
    checkpoint_kimg=4.0,
    metric_kimg=4.0,
    about=spade.about,
)
