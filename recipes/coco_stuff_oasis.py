"""COCO-Stuff, label maps to photographs, at 256 x 256 px: OASIS (Schönfeld et al. 2021, arXiv 2012.04781).

Target: what is made of the validation set's label maps
  FID               17.0
  mean IoU          44.1 %, of a segmentation of it
They are noted from memory of the paper's table 1, which was not at hand: look there before you rely on them.

Data: train2017 of MS-COCO, https://cocodataset.org, and its maps of things and stuff,
https://github.com/nightrome/cocostuff, whose pictures have the same names; 118,287 pairs, of which the last 5,000 are
held out:
  ggdr train recipes/coco_stuff_oasis.py --data.a.source stuffthingmaps/train2017 --data.b.source train2017
    --about.name COCO-Stuff --out runs/coco
Numbers 0 to 181 are classes, and 255 belongs to none.

All else is that of ade20k_oasis, LabelMix's weight of 10 among it: 100 epochs (11,329 kimg) of batches of 32.

With GGDR, type also
  --discriminator unet --discriminator.encoder oasis --regularizers.ggdr ggdr

Differences from the paper: those of ade20k_oasis; and 5,000 pairs of the training set are held out, where the paper
tests by the validation set.
"""

from dataclasses import replace

from ade20k_oasis import recipe as ade20k

from ggdr.data.pairs import LabelMaps, Pairs

HELD_OUT = 5000
KIMG = 100 * (118_287 - HELD_OUT) / 1000

recipe = replace(
    ade20k,
    data=Pairs(maps=LabelMaps(of="a", classes=182), size=256, flip=True, hold_out=HELD_OUT),
    total_kimg=KIMG,
    about=replace(
        ade20k.about,
        name="COCO-Stuff",
        url="https://github.com/nightrome/cocostuff",
        images="photographs of everyday places, with label maps of 182 classes of things and stuff",
        limits="Places with 182 kinds of things and stuff. A photograph of nothing that was there.",
        figures={"FID": "17.0", "mean IoU": "44.1"},
        count=118_287 - HELD_OUT,
    ),
)
