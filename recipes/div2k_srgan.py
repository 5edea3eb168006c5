"""Photographs four times as large, as a judge takes for real: SRGAN (Ledig et al. 2017, arXiv 1609.04802).

Target: PSNR, SSIM (luminance) and mean opinion score of Set14, four times as large; the score is what the paper is for
  SRGAN (VGG54)    26.02 / 0.7397 / 3.72
Noted from memory of the paper's table 2, which was not at hand: look there before you rely on it.

Data: that of recipes/div2k_srresnet.py, and the generator that it has trained:
  ggdr train recipes/div2k_srgan.py --data.source DIV2K_train_HR --data.test-source DIV2K_valid_HR
    --about.name DIV2K --init-from runs/div2k_srresnet
Without --init-from it learns too, and longer.

Weights: the paper adds a thousandth of -log D(G) to the mean squared difference of VGG-19's maps (relu5_4) over 12.75.
Here all is a thousand times that, which Adam does not notice: 1 and 1000 / 12.75^2. VGG-19 is fetched once, at the
start; where it cannot be, `--regularizers.perceptual none --regularizers.l2 l2 --regularizers.l2.weight 1000` is what
the paper calls SRGAN-MSE.

The paper's setting: 16 parts of 96 px a step, 100,000 steps at 1e-4 and 100,000 at 1e-5 (3,200 kimg).

With GGDR, type also
  --discriminator unet --discriminator.encoder srgan --regularizers.ggdr ggdr --regularizers.ggdr.resolutions 24

Differences from the paper: those of recipes/div2k_srresnet.py, and D's batch normalization always uses the batch.
"""

from dataclasses import replace

from div2k_srresnet import DIV2K
from div2k_srresnet import recipe as srresnet

from ggdr.losses.non_saturating import NonSaturating
from ggdr.networks.srgan import SRGANDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.regularizers.perceptual import Perceptual
from ggdr.schedules.steps import Steps

ADAM = Adam(lr=Steps(start=1e-4, milestones_kimg=(1600.0,), factor=0.1), beta1=0.9, beta2=0.999)

recipe = replace(
    srresnet,
    discriminator=SRGANDiscriminatorConfig(),
    loss=NonSaturating(),
    regularizers={"perceptual": Perceptual(weight=1000 / 12.75**2, layers=("relu5_4",), distance="l2")},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    total_kimg=3200.0,
    about=replace(
        DIV2K,
        table="table 2",
        metric="PSNR (dB) and SSIM of the luminance of Set14, four times as large, and mean opinion score",
        figures={"SRGAN (VGG54)": "26.02 / 0.7397 / 3.72"},
    ),
)
