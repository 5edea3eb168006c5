"""R3GAN on digits: the relativistic pairing loss with R1 and R2, on residual networks (Huang et al. 2024, 2501.05441).

Smaller than there: 32 px, 48 to 8 channels where the paper's networks have hundreds, one block a resolution instead of
two, batches of 32. R1 and R2 run at every step and are equally strong. As there, half a cosine brings the learning rate
and gamma down; from where and to where is ours: 0.002 to 0.0002 where the published runs have 0.0002 to 0.00005, and 1
to 0.1. Adam's second decay stays at 0.99.

It needs its own budget: these networks, without normalization and momentum, begin to draw digits after some 20 kimg
(600 updates). At 5 kimg, where docs/zoo.md compares the recipes (this one as it was, at a constant rate of 0.002 and
gamma 1), they have drawn little but noise; no fault was found in them. So trained, under a running mean of 1 kimg, FID
fell to 4.6 at 30 kimg and was 6.1 at 40, with a coverage of 0.31: the rate has to come down, and the mean to be longer.
Gamma 0.05, the published one for 32 px, learned no faster (FID 17.5 against 15.8 at 10 kimg), nor did a rate of 0.003
with a second decay from 0.9 on, both on cosines over 40 kimg (8.2 against 6.8 at 20).
"""

from ggdr.data.digits import Digits
from ggdr.losses.relativistic import Relativistic
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.r3gan import R3GANDiscriminatorConfig, R3GANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r2 import R2
from ggdr.schedules.cosine import Cosine

GAMMA = Cosine(start=1.0, end=0.1)
ADAM = Adam(lr=Cosine(start=0.002, end=0.0002))

recipe = Recipe(
    data=Digits(size=32),
    generator=R3GANGeneratorConfig(channel_base=256, channel_max=48, blocks=(1,)),
    discriminator=R3GANDiscriminatorConfig(channel_base=256, channel_max=48, blocks=(1,)),
    loss=Relativistic(),
    regularizers={"r1": R1(weight=GAMMA, every=1), "r2": R2(weight=GAMMA, every=1)},
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=32,
    total_kimg=60.0,
    ema_kimg=3.0,
    sample_kimg=10.0,
    checkpoint_kimg=20.0,
    metric_kimg=20.0,
)
