"""Summer to winter in Yosemite and back at 256 x 256 px: NICE-GAN (Chen et al. 2020, arXiv 2003.00273, as cat2dog).

Target: FID / KID x 100 of the translated test images
  summer to winter    76.44 / 1.22
  winter to summer    76.03 / 0.67
Both are noted from memory of the paper's table, which was not at hand: look there before you rely on them.

Data: that of recipes/summer2winter_cyclegan.py, which the recipe takes from the Hub. Of the folders trainA, trainB,
testA and testB:
  ggdr train recipes/summer2winter_nice.py --data.source summer2winter_yosemite --about.name summer2winter

Everything else, with the reasons for weights, is as in recipes/cat2dog_nice.py.

With GGDR, type also
  --discriminator unet --discriminator.encoder nice --regularizers.ggdr ggdr

Differences from the paper: those of recipes/cat2dog_nice.py.
"""

from dataclasses import replace

from cat2dog_nice import recipe as cat2dog
from summer2winter_cyclegan import recipe as cyclegan

recipe = replace(
    cat2dog,
    data=cyclegan.data,
    about=replace(
        cyclegan.about,
        paper="2003.00273",
        table="table of FID and KID",
        metric="FID / KID x 100 of translated test images",
        figures={"summer to winter": "76.44 / 1.22", "winter to summer": "76.03 / 0.67"},
        note="They are noted from memory of that table: look there before you rely on them.",
    ),
)
