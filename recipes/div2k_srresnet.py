"""Photographs four times as large, by pixels alone: SRResNet, with which SRGAN begins (Ledig et al. 2017, arXiv
1609.04802).

Target: PSNR and SSIM (luminance) of Set14, four times as large
  SRResNet (MSE)    28.49 / 0.8184
Noted from memory of the paper's table 1, which was not at hand: look there before you rely on it.

Data: 800 photographs of DIV2K, https://data.vision.ee.ethz.ch/cvl/DIV2K, and 100 for tests:
  ggdr train recipes/div2k_srresnet.py --data.source DIV2K_train_HR --data.test-source DIV2K_valid_HR
    --about.name DIV2K
Any folder of photographs will do; what they are made of is made of them. Each step decodes a whole photograph to cut a
part of it: cut those of DIV2K to pieces of about 480 px once, and training reads a dozen times as fast.

The paper's setting: 16 parts of 96 px a step, a million steps (16,000 kimg) of Adam at 1e-4. Nobody judges:
discriminator and loss are `none`. SRGAN goes on from here: recipes/div2k_srgan.py.

Differences from the paper:
- It learns from 350,000 photographs of ImageNet, which the paper's numbers are of.
- The small photographs are in [-1, 1], as all images here; there they are in [0, 1].
- Every 100 kimg the middle of each test photograph is measured, in RGB; the paper measures the luminance of whole ones.
"""

from ggdr.data.super_resolution import SuperResolution
from ggdr.games.paired import PairedGame
from ggdr.losses.none import NoLoss
from ggdr.metrics.l1 import MeanAbsoluteError
from ggdr.metrics.psnr import PSNR
from ggdr.metrics.ssim import SSIM
from ggdr.networks.none import NoDiscriminatorConfig
from ggdr.networks.srresnet import SRResNetTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.l2 import L2Distance

DIV2K = About(
    sources=("",),
    name="DIV2K",
    url="https://data.vision.ee.ethz.ch/cvl/DIV2K",
    images="photographs of about 2,000 pixels a side, of many subjects (DIV2K)",
    licence="not known here: look for it on the set's page",
    limits="It learned from pictures that a bicubic filter made smaller; those of cameras and of the web differ.",
    paper="1609.04802",
    table="table 1",
    metric="PSNR (dB) and SSIM of the luminance of Set14, four times as large",
    figures={"SRResNet": "28.49 / 0.8184"},
    count=800,
    note="It is noted from memory of that table, and of a network that learned from ImageNet: look there before you"
    " rely on it.",
)

recipe = Recipe(
    data=SuperResolution(size=96, flip=True, channels=3),
    game=PairedGame(conditional=False),
    generator=SRResNetTranslatorConfig(),
    discriminator=NoDiscriminatorConfig(),
    loss=NoLoss(),
    regularizers={"l2": L2Distance(weight=1.0)},
    metrics={"l1": MeanAbsoluteError(), "psnr": PSNR(), "ssim": SSIM()},
    g_optimizer=Adam(lr=1e-4, beta1=0.9, beta2=0.999),
    batch_size=16,
    total_kimg=16000.0,
    ema_kimg=0.0,
    sample_kimg=100.0,
    checkpoint_kimg=100.0,
    metric_kimg=100.0,
    about=DIV2K,
)
