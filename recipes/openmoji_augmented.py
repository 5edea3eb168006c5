"""Line drawings to colour, many colourings of each: Augmented CycleGAN on OpenMoji (Almahairi et al. 2018, 1802.10151).

Which colour a thing has is not in its lines. A code of 8 numbers says which colouring is made, and an encoder finds the
code of a drawing in colour, so that its colours can be put on other lines:
  ggdr translate RUN lines.png --view lines_to_colour --seeds 0-3 --out made
  ggdr translate RUN lines.png --view lines_to_colour --style colour.png --out made

Data, size and networks are those of recipes/openmoji_cyclegan.py: lines and colours of other drawings, never both of
one. Weights are CycleGAN's 10 for a cycle and MUNIT's 1 for the reconstruction of a code, instead of the paper's 1 and
0.025, beside squares that are not halved; `least_squares` halves both players', so they are half of that here. With
the paper's, after 8 kimg (2026-11-29, one run), lines were dotted, the cycles' error was twice that of
openmoji_cyclegan, and drawn codes moved all colours along one axis, from white and blue to yellow.

Unlike the paper's: 32 px, batches of 4 instead of 32, two halvings; both players learn at one rate, since there are
2,250 steps; the discriminator of codes does not normalize over its four, so that it sees how wide they are spread.
"""

from dataclasses import replace

from openmoji_cyclegan import recipe as cyclegan

from ggdr.games.augmented import AugmentedGame
from ggdr.networks.conv import ConvEncoderConfig
from ggdr.networks.mlp import MLPDiscriminatorConfig
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.style_reconstruction import StyleReconstruction
from ggdr.schedules.linear import Linear

ADAM = Adam(lr=Linear(start=2e-4, kimg=4.5, hold_kimg=None), beta1=0.5, beta2=0.999)

recipe = replace(
    cyclegan,
    game=AugmentedGame(encoder=ConvEncoderConfig(), discriminator_z=MLPDiscriminatorConfig()),
    generator=ResnetTranslatorConfig(channels=32, blocks=3, z_dim=8),
    regularizers={"cycle": CycleConsistency(weight=5.0), "style_reconstruction": StyleReconstruction(weight=0.5)},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    total_kimg=9.0,
)
