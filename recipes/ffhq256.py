"""FFHQ at 256 x 256 px: StyleGAN2 with GGDR (Lee et al. 2022, arXiv 2207.13320, table 1).

Target: FID (50,000 fakes against all reals, mean and spread of three trainings)
  StyleGAN2    3.66 ± 0.10 (`--regularizers.ggdr none`)
  + GGDR       3.14 ± 0.03
  ADA          3.88 ± 0.13 (`--augment ada --regularizers.ggdr none`)
  + GGDR       3.57 ± 0.10 (`--augment ada`)
beside PA-GAN 3.78 ± 0.06, WGAN-GP 6.43 ± 0.37, zCR 3.45 ± 0.19 and AR (auxiliary rotation) 4.16 ± 0.05. Table 3 has, as
FID / precision / recall, 6.11 / 0.73 / 0.48 for UT (Unleashing Transformers), 3.71 / 0.69 / 0.44 for StyleGAN2 and
3.14 / 0.69 / 0.50 with GGDR. All of the paper's tables are in docs/paper.md.

Data: 70,000 aligned faces. The 1024 px originals are shrunk on the fly; a copy shrunk to 256 px reads faster:
  accelerate launch --num_processes 8 -m ggdr.train recipes/ffhq256.py --data.source FOLDER_OR_ZIP_OR_HUB_ID
Say that they are FFHQ by `--about.name FFHQ`: then model cards say of them what this recipe says, else nothing.

Gamma is 1, the paper256 setting of StyleGAN2-ADA (arXiv 2006.06676) on which the paper builds; the rule of thumb
0.0002 * 256 * 256 / 64 would give 0.2. Lower it if D falls behind, raise it if training diverges.

The paper's setting: 8 GPUs with 8 images each, a batch of 64. On fewer GPUs nothing changes but time:
`--micro-batch-size 8` keeps the statistics of minibatch standard deviation, which sees groups of 8.

Every 200 kimg the sliced Wasserstein distance is measured, which needs no weights. FID as well, with Inception's
weights at hand or a network to fetch them by: `--metrics.fid fid`, and `--metrics.fid.images 50000` for
50,000 fakes against as many reals, where the paper takes all 70,000.

Mirror images are added, as in the paper (`--data.no-mirror` for without).

Differences from the paper:
- bf16 autocast in all layers, penalties in float32, where the paper's code base computes its four largest resolutions
  in float16 and clamps them.
- Feature maps are moved by the augmentation with sub-cell accuracy, and the decoder runs on fakes in D's turn only.
- 25,000 kimg, the length of StyleGAN2-ADA's runs at 256 px; the paper's own is not known here.
- Path length regularization shares the recipe's micro-batches: it runs on half of each.
"""

from ggdr.data.images import ImageFiles
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.path_length import PathLength
from ggdr.regularizers.r1 import R1

recipe = Recipe(
    data=ImageFiles(size=256, channels=3, mirror=True),
    generator=StyleGAN2GeneratorConfig(channel_base=16384),
    discriminator=UNetDiscriminatorConfig(encoder=StyleGAN2DiscriminatorConfig(channel_base=16384, mbstd_group=8)),
    regularizers={
        "r1": R1(weight=1.0, every=16),
        "path_length": PathLength(weight=2.0, every=4),
        "ggdr": GGDR(weight=10.0, resolutions=(64,)),
    },
    metrics={"swd": SlicedWasserstein()},
    g_optimizer=Adam(lr=0.0025),
    d_optimizer=Adam(lr=0.0025),
    batch_size=64,
    total_kimg=25000.0,
    ema_kimg=20.0,
    ema_rampup=None,
    precision="bf16",
    num_workers=4,
    log_kimg=4.0,
    sample_kimg=200.0,
    about=About(
        sources=("",),
        name="FFHQ",
        url="https://github.com/NVlabs/ffhq-dataset",
        images="aligned photographs of faces, gathered on Flickr",
        licence="the set as a whole is CC BY-NC-SA 4.0, and each photograph keeps the licence of its photographer",
        limits="Faces of people who put photographs on Flickr, or were in them, and were not asked about this use; the"
        " page of the set says that it inherits the biases of that website. Not for recognising or judging people, nor"
        " for pictures of anybody real.",
        paper="2207.13320",
        table="table 1",
        metric="FID, 50,000 fakes against all reals",
        figures={
            "PA-GAN": "3.78 ± 0.06",
            "WGAN-GP": "6.43 ± 0.37",
            "zCR": "3.45 ± 0.19",
            "AR (auxiliary rotation)": "4.16 ± 0.05",
            "StyleGAN2": "3.66 ± 0.10",
            "StyleGAN2 + GGDR": "3.14 ± 0.03",
            "ADA": "3.88 ± 0.13",
            "ADA + GGDR": "3.57 ± 0.10",
        },
        count=70_000,
        note="Mean and spread of three trainings. Its table 3 has, as FID / precision / recall, 6.11 / 0.73 / 0.48 for"
        " UT (Unleashing Transformers), 3.71 / 0.69 / 0.44 for StyleGAN2 and 3.14 / 0.69 / 0.50 with GGDR.",
    ),
)
