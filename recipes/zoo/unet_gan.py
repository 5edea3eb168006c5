"""U-Net GAN on handwritten digits: D judges image and pixels (Schönfeld et al. 2020, arXiv 2002.12655).

`per_pixel` is the decoder's loss for both players, `cutmix` asks it to judge patched images as it judges their parts.
Both losses are hinge losses, as BigGAN's. Smaller than there: 32 px, 16 channels at half of the image, DCGAN's
generator where it has BigGAN's, and a ramp of CutMix over 5 kimg. The learning rates are ours: G's is above D's, or G
collapses within the first hundred steps; at half of them it does so too.
"""

from ggdr.data.digits import Digits
from ggdr.losses.hinge import Hinge
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.unet_gan import UNetGANDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.cutmix import CutMix
from ggdr.regularizers.per_pixel import PerPixel

recipe = Recipe(
    data=Digits(size=32),
    generator=DCGANGeneratorConfig(channels=32),
    discriminator=UNetGANDiscriminatorConfig(channels=16, channel_max=128),
    loss=Hinge(),
    regularizers={"per_pixel": PerPixel(form="hinge"), "cutmix": CutMix(ramp_kimg=5.0)},
    metrics={"swd": SlicedWasserstein(images=1024)},
    g_optimizer=Adam(lr=0.001, beta1=0.0, beta2=0.999),
    d_optimizer=Adam(lr=0.0004, beta1=0.0, beta2=0.999),
    batch_size=16,
    total_kimg=10.0,
    ema_kimg=1.0,
    sample_kimg=5.0,
    checkpoint_kimg=10.0,
    metric_kimg=10.0,
)
