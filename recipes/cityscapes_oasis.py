"""Cityscapes, label maps to photographs, at 256 x 512 px: OASIS (Schönfeld et al. 2021, arXiv 2012.04781).

Target: what is made of the validation set's label maps
  FID               47.7
  mean IoU          69.3 %, of a segmentation of it
They are noted from memory of the paper's table 1, which was not at hand: look there before you rely on them.

Data: gtFine and leftImg8bit of Cityscapes, https://www.cityscapes-dataset.com, in one folder; 2,975 pairs to train on,
500 of the split val for tests:
  ggdr train recipes/cityscapes_oasis.py --data.source cityscapes --about.name Cityscapes --out runs/streets
There are 34 labels, of which pixels of the first, unlabelled ones, belong to no class and weigh nothing.

All else is that of ade20k_oasis: 200 epochs (595 kimg), here of batches of 20, and LabelMix weighs 5.

With GGDR, type also
  --discriminator unet --discriminator.encoder oasis --regularizers.ggdr ggdr

Differences from the paper: those of ade20k_oasis.
"""

from dataclasses import replace

from ade20k_oasis import half_life
from ade20k_oasis import recipe as ade20k
from cityscapes_spade import recipe as spade

from ggdr.data.domains import Domain
from ggdr.data.pairs import LabelMaps, Pairs
from ggdr.regularizers.labelmix import LabelMix

BATCH = 20

recipe = replace(
    ade20k,
    data=Pairs(
        a=Domain(files="*_labelIds.png"),
        b=Domain(files="*_leftImg8bit.png"),
        maps=LabelMaps(of="a", classes=34, ignore=(255, -1, 0)),
        size=(256, 512),
        flip=True,
    ),
    regularizers={"labelmix": LabelMix(weight=5.0)},
    batch_size=BATCH,
    total_kimg=spade.total_kimg,
    ema_kimg=half_life(BATCH),
    sample_kimg=25.0,
    sample_images=8,
    checkpoint_kimg=25.0,
    metric_kimg=100.0,
    about=replace(
        spade.about,
        paper="2012.04781",
        metric="FID, and mean IoU of a segmentation of what is made of the validation set's maps",
        figures={"FID": "47.7", "mean IoU": "69.3"},
    ),
)
