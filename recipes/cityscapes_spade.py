"""Cityscapes, label maps to photographs, at 256 x 512 px: SPADE (Park et al. 2019, arXiv 1903.07291).

Target: what is made of the validation set's label maps
  FID               71.8
  mean IoU          62.3 %, pixel accuracy 81.9 %, of a segmentation of it (DRN-D-105)
They are noted from memory of the paper's table 1 and from what others quote of it: look there before you rely on them.
Others measured 57.9 and 93.6 % by the authors' weights with maps of instances and styles of pictures.

Data: gtFine and leftImg8bit of Cityscapes, https://www.cityscapes-dataset.com, in one folder; 2,975 pairs to train on,
500 of the split val for tests:
  ggdr train recipes/cityscapes_spade.py --data.source cityscapes --about.name Cityscapes --out runs/streets
G and D see a channel for each of the 34 labels, and one for the edges between instances.

All else is that of ade20k_spade, where the weights, the encoder of styles and the differences stand: 200 epochs (595
kimg) of batches of 32, of which the second half brings the rates to zero.

With GGDR, type also
  --discriminator unet --discriminator.encoder patch --discriminator.encoder.scales 2
  --discriminator.encoder.spectral --regularizers.ggdr ggdr

Differences from the paper: those of ade20k_spade.
"""

from dataclasses import replace

from ade20k_spade import falling
from ade20k_spade import recipe as ade20k
from cityscapes_pix2pixhd import recipe as pix2pixhd

KIMG = 200 * 2.975

recipe = replace(
    ade20k,
    data=replace(pix2pixhd.data, size=(256, 512)),
    g_optimizer=falling(1e-4, KIMG),
    d_optimizer=falling(4e-4, KIMG),
    total_kimg=KIMG,
    sample_kimg=25.0,
    sample_images=8,
    checkpoint_kimg=25.0,
    metric_kimg=100.0,
    about=replace(
        pix2pixhd.about,
        paper="1903.07291",
        table="table 1",
        metric="FID, mean IoU and pixel accuracy of a segmentation of what is made of the validation set's maps",
        figures={"FID": "71.8", "mean IoU": "62.3", "pixel accuracy": "81.9"},
    ),
)
