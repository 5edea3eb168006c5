"""ImageNet at 256 x 256 px in latents: GAT-L/2 (Hyun et al. 2026, arXiv 2509.24935).

Target: FID; the paper gives this size's in a figure alone, of which we have no number.

24 blocks of 1024 channels on either side, with the learning rate that belongs to that width. Data, which no data set of
ggdr reads yet, the other settings and the differences from the published program are those of
`gat_imagenet256_xl.py`, which has the words to them.
"""

from gat_imagenet256_xl import ABOUT, of_size

recipe = of_size("l", ABOUT)
