"""Photographs four times as large, by pixels alone: RRDB, with which ESRGAN begins (Wang et al. 2018, arXiv
1809.00219).

Target: PSNR of Set14 (luminance), four times as large
  RRDB (L1)    28.99
Noted from memory of the paper's table, which was not at hand: look there before you rely on it.

Data: that of recipes/div2k_srresnet.py:
  ggdr train recipes/div2k_psnr_rrdb.py --data.source DIV2K_train_HR --data.test-source DIV2K_valid_HR
    --about.name DIV2K

The paper's setting: 16 parts of 128 px a step, mirrored and turned, mean absolute differences, Adam at 2e-4, halved
every 200,000 steps, a million steps (16,000 kimg). ESRGAN goes on from here: recipes/div2k_esrgan.py.

Differences from the paper:
- It learns from Flickr2K too, 2,650 photographs more: put both into one folder.
- The published program's rate falls by cosines, four times from 2e-4 to nearly nothing.
- Every 100 kimg the middle of each test photograph is measured, in RGB; the paper measures the luminance of whole ones.
"""

from dataclasses import replace

from div2k_srresnet import DIV2K
from div2k_srresnet import recipe as srresnet

from ggdr.data.super_resolution import SuperResolution
from ggdr.networks.rrdb import RRDBTranslatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.regularizers.l1 import L1Distance
from ggdr.schedules.steps import Steps

recipe = replace(
    srresnet,
    data=SuperResolution(size=128, flip=True, rotate=True, channels=3),
    generator=RRDBTranslatorConfig(),
    regularizers={"l1": L1Distance(weight=1.0)},
    g_optimizer=Adam(
        lr=Steps(start=2e-4, milestones_kimg=(3200.0, 6400.0, 9600.0, 12800.0), factor=0.5), beta1=0.9, beta2=0.99
    ),
    about=replace(
        DIV2K,
        paper="1809.00219",
        table="the table of PSNR",
        metric="PSNR (dB) of the luminance of Set14, four times as large",
        figures={"RRDB": "28.99"},
    ),
)
