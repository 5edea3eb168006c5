"""R3GAN on digits: the relativistic pairing loss with R1 and R2, on residual networks (Huang et al. 2024, 2501.05441).

Smaller than there: 32 px, 48 to 8 channels where the paper's networks have hundreds, one block a resolution instead of
two, 10 kimg. R1 and R2 run at every step and are equally strong; gamma 1 is ours, for so few and so plain images, and
constant, where the paper lets it, the learning rate and Adam's second decay change as training goes on. The learning
rate, 0.002, is forty times that of the paper, for so short a run.
"""

from ggdr.data.digits import Digits
from ggdr.losses.relativistic import Relativistic
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.r3gan import R3GANDiscriminatorConfig, R3GANGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r2 import R2

recipe = Recipe(
    data=Digits(size=32),
    generator=R3GANGeneratorConfig(channel_base=256, channel_max=48, blocks=(1,)),
    discriminator=R3GANDiscriminatorConfig(channel_base=256, channel_max=48, blocks=(1,)),
    loss=Relativistic(),
    regularizers={"r1": R1(weight=1.0, every=1), "r2": R2(weight=1.0, every=1)},
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.002),
    d_optimizer=Adam(lr=0.002),
    batch_size=32,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
