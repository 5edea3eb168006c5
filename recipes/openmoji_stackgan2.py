"""Emoji by their names at 64 px: stage II of StackGAN on OpenMoji (Zhang et al. 2017, arXiv 1612.03242).

Stage I is a run of openmoji_stackgan, at 32 px: it is given by its folder, learns nothing any more, and is a part of
the model, which makes images of texts in one go:

  ggdr train recipes/openmoji_stackgan.py --out runs/stackgan
  ggdr train recipes/openmoji_stackgan2.py --generator.stage-one runs/stackgan --out runs/stackgan2
  ggdr generate runs/stackgan2 --text "red heart" "black cat" --seeds 0-15 --out sixteen.png

Differences from the paper: those of stage I; 16 channels at stage I's size instead of 128, two residual blocks instead
of four (the paper has two at 128 px); D takes labels by projection, and has no second logit without the text. It was
tried step by step, and not trained to its end. GGDR: `--regularizers.ggdr ggdr`.
"""

from dataclasses import replace

from openmoji_stackgan import CODES
from openmoji_stackgan import recipe as first

from ggdr.data.openmoji import OpenMoji
from ggdr.networks.stage_two import StageTwoGeneratorConfig

recipe = replace(
    first,
    data=OpenMoji(size=64, skin_tones=False, labels="names", mirror=True),
    generator=StageTwoGeneratorConfig(generator=first.generator, width=CODES, channels=16, blocks=2),
    total_kimg=40.0,
)
