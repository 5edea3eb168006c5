"""Lines of one emoji in the colours of another: AdaIN style transfer on OpenMoji (Huang & Belongie 2017, 1703.06868).

Content is a line drawing, style is the colour picture of another emoji; nobody judges. `pip install 'ggdr[openmoji]'`
brings the drawings. On the third of the drawings that is held out, the style at a line drawing's place is its own true
picture: so `l1` and `ssim` say how much of a picture is in its lines and in the statistics of its colours, which no
other recipe here is told. Flags, symbols and skin tones are left out.

Unlike there: 32 px; the encoder is not VGG-19, which would have to be fetched, but that of `emoji`, a small classifier
of these drawings, up to its third layer, whose maps are a quarter of the image's side. Rate 1e-3, falling to zero over
the second half, instead of 1e-4 over 1,280 kimg.
"""

from openmoji_cyclegan import GROUPS
from openmoji_pix2pix import recipe as pix2pix

from ggdr.data.openmoji import OpenMoji
from ggdr.features.emoji import Emoji
from ggdr.games.stylised import StylisedGame
from ggdr.losses.none import NoLoss
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.ssim import SSIM
from ggdr.networks.adain import AdaINTranslatorConfig
from ggdr.networks.none import NoDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.content import Content
from ggdr.regularizers.style import Style
from ggdr.schedules.linear import Linear

recipe = Recipe(
    data=OpenMoji(task="unpaired", size=32, groups=GROUPS, skin_tones=False, mirror=True, gray_lines=False),
    game=StylisedGame(extractor=Emoji(), layers=("silu1", "silu2", "silu3")),
    generator=AdaINTranslatorConfig(),
    discriminator=NoDiscriminatorConfig(),
    loss=NoLoss(),
    regularizers={"content": Content(), "style": Style()},
    metrics={"l1": MeanAbsoluteError(), "ssim": SSIM()},
    g_optimizer=Adam(lr=Linear(start=1e-3, kimg=100, hold_kimg=None), beta1=0.9, beta2=0.999),
    batch_size=8,
    total_kimg=200.0,
    ema_kimg=0.0,
    sample_kimg=40.0,
    checkpoint_kimg=40.0,
    metric_kimg=40.0,
    about=pix2pix.about,
)
