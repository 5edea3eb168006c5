"""Few pictures of your own, 50 to 2,000 of them, at 128 or 256 px on one GPU: StyleGAN2 with ADA.

    ggdr data check path/to/pictures        # looks at them and prints this command with the flags they need
    ggdr train few --data.source path/to/pictures --data.size 256 --data.channels 3 --data.mirror --out runs/mine

What keeps D from learning few pictures by heart is augmentation:
- ADA (Karras et al. 2020, arXiv 2006.06676), this recipe's, raises its p as far as D overfits. Its paper goes from
  140,000 images down to 1,000.
- DiffAugment (Zhao et al. 2020, arXiv 2006.10738), `--augment diffaug`, changes every image from the first step on. Its
  paper has sets of 100: take it below 1,000, where there is hardly time for p to climb.
- `--data.mirror` doubles the pictures; leave it out where left and right matter, as in writing.

GGDR is left out. The paper (Lee et al. 2022, arXiv 2207.13320, table 1) finds it worse beside ADA with 2,000 images of
FFHQ, FID 18.28 against 16.49, and better with 10,000, 6.11 against 8.29; of fewer than 2,000 it has no number. It may
still help on yours: `--regularizers.ggdr ggdr` adds it, and `ggdr compare` tells by several seeds.

Start warm if there is a model of anything similar at your size, which is worth more than all else here: faces, animals,
paintings; `ggdr convert` reads published ones.
  --init-from MODEL --freeze-d 4 --augment.speed-kimg 100 --total-kimg 1000
D's first four blocks then learn nothing (Freeze-D, Mo et al. 2020, arXiv 2002.10964), and p climbs within the shorter
run.

When do I stop? Look every 100 kimg at samples/, at losses.png and at the log; 3,000 kimg are an upper bound, ours.
- The metric. SWD is measured every 100 kimg and needs no weights; KID, which few reals do not bias as they do FID, says
  more where Inception's weights can be had: `--metrics.kid kid --keep-best kid`. It falls fast, then slowly, then goes
  up. Stop when the best value is 500 kimg old: it is in checkpoints/best, as good as if you had stopped there.
- D's sign of reals (`signs/real`, and its mean r_t, in losses.png). With ADA it settles about 0.6 while p climbs. D
  overfits when p has reached 0.8, or its bound of 1, and r_t still rises towards 1 with the sign of fakes near -1: it
  knows your pictures by heart and has nothing left to tell G. With DiffAugment there is no p: the sign of reals stays
  above 0.95. The log says so, in a line that begins with "Health". From there on the metric gets worse: stop, and take
  checkpoints/best.
- Copies. No distance of distributions sees them: a G that repeats your pictures has the best FID there is.
    ggdr evaluate runs/mine/checkpoints/best --metrics memorization density_coverage
  `copied` well above `reals` is memorization; so is a walk, `ggdr video runs/mine`, that jumps from picture to picture.

Gamma is the rule of thumb, 0.0002 * height * width / batch: 0.8 at 256 px, 0.2 at 128 px. Batch and channels are small
enough for one GPU; `--micro-batch-size 8` takes less memory, `--precision bf16` is faster on GPUs that have it.
`--dry-run` prints parameters, memory and time per kimg before you decide.

What was tried: 300 emoji at 64 px, with smaller networks and for some steps on a CPU, so that all of this runs. Nobody
has trained the whole of it with this code yet.
"""

from ggdr.augment.ada import ADA
from ggdr.data.images import ImageFiles
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.path_length import PathLength
from ggdr.regularizers.r1 import R1

recipe = Recipe(
    data=ImageFiles(size=256, channels=3, mirror=True),
    generator=StyleGAN2GeneratorConfig(channel_base=16384),
    # Without a term that reads its decoder it has none; so GGDR is one flag.
    discriminator=UNetDiscriminatorConfig(encoder=StyleGAN2DiscriminatorConfig(channel_base=16384)),
    regularizers={"r1": R1(), "path_length": PathLength(weight=2.0, every=4)},
    augment=ADA(target=0.6, speed_kimg=500.0),
    metrics={"swd": SlicedWasserstein()},
    g_optimizer=Adam(lr=0.0025),
    d_optimizer=Adam(lr=0.0025),
    batch_size=16,
    total_kimg=3000.0,
    ema_kimg=5.0,
    sample_kimg=50.0,
    checkpoint_kimg=100.0,
    metric_kimg=100.0,
    keep_best="swd",
    about=About(
        sources=("",),
        images="a few pictures, which whoever trains it brings along",
        licence="that of the pictures you give it",
        limits="A model of few pictures shows what is in them and nothing else, and may repeat them whole.",
    ),
)
