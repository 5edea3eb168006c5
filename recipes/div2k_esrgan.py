"""Photographs four times as large, with more detail than SRGAN's: ESRGAN (Wang et al. 2018, arXiv 1809.00219).

Target: perceptual index (lower is better) and RMSE of the PIRM challenge's test set, in its third region
  ESRGAN    2.04 / 15.15
Noted from memory, since the paper was not at hand: look there before you rely on it.

Data: that of recipes/div2k_srresnet.py, and the generator that recipes/div2k_psnr_rrdb.py has trained:
  ggdr train recipes/div2k_esrgan.py --data.source DIV2K_train_HR --data.test-source DIV2K_valid_HR
    --about.name DIV2K --init-from runs/div2k_psnr_rrdb

Weights: the paper adds 5e-3 of the relativistic average loss and 1e-2 of the mean absolute difference to that of
VGG-19's maps (conv5_4, before ReLU). Here all is 200 times that, which Adam does not notice, and pixels lie in [-1, 1],
twice as far apart as in [0, 1]: 1, 1 and 200. VGG-19 is fetched once, at the start.

The paper's setting: 16 parts of 128 px a step, mirrored and turned, 400,000 steps (6,400 kimg) of Adam at 1e-4, halved
after 50, 100, 200 and 300 thousand; a running mean of the weights by 0.999 a step, as in the published program.

Between the network that was trained by pixels and this one lie all degrees of detail and of invention (sec. 3.4):
  ggdr blend runs/div2k_psnr_rrdb runs/div2k_esrgan --amount 0.8 --out models/esrgan-0.8

With GGDR, type also
  --discriminator unet --discriminator.encoder srgan --regularizers.ggdr ggdr --regularizers.ggdr.resolutions 32

Differences from the paper:
- It learns from Flickr2K and OutdoorSceneTraining too: put all into one folder.
- D is SRGAN's, of eight convolutions; the published program's has ten.
"""

from dataclasses import replace

from div2k_psnr_rrdb import recipe as psnr_rrdb
from div2k_srresnet import DIV2K

from ggdr.losses.relativistic_average import RelativisticAverage
from ggdr.networks.srgan import SRGANDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.regularizers.l1 import L1Distance
from ggdr.regularizers.perceptual import Perceptual
from ggdr.schedules.steps import Steps

ADAM = Adam(lr=Steps(start=1e-4, milestones_kimg=(800.0, 1600.0, 3200.0, 4800.0), factor=0.5), beta1=0.9, beta2=0.99)

recipe = replace(
    psnr_rrdb,
    discriminator=SRGANDiscriminatorConfig(),
    loss=RelativisticAverage(),
    regularizers={
        "l1": L1Distance(weight=1.0),
        "perceptual": Perceptual(weight=200.0, layers=("conv5_4",), distance="l1"),
    },
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    total_kimg=6400.0,
    ema_kimg=11.1,  # 16 images a step: 0.999 of the mean stays at each
    ema_rampup=None,
    about=replace(
        DIV2K,
        paper="1809.00219",
        table="the table of the PIRM challenge",
        metric="perceptual index and RMSE of the PIRM challenge's test set, third region",
        figures={"ESRGAN": "2.04 / 15.15"},
    ),
)
