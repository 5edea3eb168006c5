"""Hair, gender and age of faces at 128 x 128 px: StarGAN on CelebA (Choi et al. 2018, arXiv 1711.09020).

Target: votes of people who were asked which of four methods' pictures is best (table 1 of the paper)
  hair colour   66.2 %
  gender        39.1 %
  age           70.6 %
They are noted from memory of that table, which was not at hand: look there before you rely on them. They are no number
that a program can measure.

Data: 202,599 aligned photographs of 178 x 218 px, and a table of 40 attributes, which are 1 or -1. Five are labels:
  ggdr train recipes/celeba_stargan.py --data.source img_align_celeba --data.labels
    list_attr_celeba.csv:Black_Hair,Blond_Hair,Brown_Hair,Male,Young --about.name CelebA
The middle 178 x 178 px are resized to 128. The paper keeps 2,000 photographs for tests: leave them out of the folder.

The paper's setting: batches of 16, five updates of D for one of G, 20 epochs, of which the last ten bring the rate to
zero; WGAN-GP (10), the attributes (1) and the cycle (10); Adam (0.5, 0.999); flips; no running mean. G has 7.85 M
weights and D 44.8 M.

Differences from the paper:
- Labels of what is to be made are those of the next photograph in the batch; there, of a random one.
- G halves by 3x3 convolutions, there by 4x4, and mirrors edges, where the published program has zeros. Its first
  layer is not normalized: with mirrored edges that would take the labels out, which zeros let in at the edge alone.
- Normalization has no scale and shift of its channels; the published program's has.
- The rate falls with each step; there, with each epoch.

With GGDR, type also
  --discriminator unet --discriminator.encoder stargan --regularizers.ggdr ggdr
"""

from ggdr.data.images import ImageFiles
from ggdr.games.relabelled import RelabelledGame
from ggdr.losses.wasserstein import Wasserstein
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.resnet_translator import ResnetTranslatorConfig
from ggdr.networks.stargan import StarGANDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.auxiliary_classifier import AuxiliaryClassifier
from ggdr.regularizers.cycle import CycleConsistency
from ggdr.regularizers.wgan_gp import WGANGP
from ggdr.schedules.linear import Linear

KIMG = 20 * 200.6
ADAM = Adam(lr=Linear(start=1e-4, kimg=KIMG / 2, hold_kimg=None), beta1=0.5, beta2=0.999)

recipe = Recipe(
    data=ImageFiles(size=128, channels=3, flip=True),
    game=RelabelledGame(),
    generator=ResnetTranslatorConfig(blocks=6),
    discriminator=StarGANDiscriminatorConfig(),
    loss=Wasserstein(clip=0.0),
    regularizers={
        "wgan_gp": WGANGP(weight=10.0),
        "auxiliary_classifier": AuxiliaryClassifier(fakes=False),
        "cycle": CycleConsistency(weight=10.0),
    },
    metrics={"swd": SlicedWasserstein()},
    g_optimizer=ADAM,
    d_optimizer=ADAM,
    batch_size=16,
    n_critic=5,
    total_kimg=KIMG,
    ema_kimg=0.0,
    sample_kimg=100.0,
    checkpoint_kimg=200.0,
    metric_kimg=200.0,
    sample_images=16,
    about=About(
        sources=("",),
        name="CelebA",
        url="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        images="photographs of faces of celebrities, aligned, which its authors gathered from the web",
        licence="for research that is not commercial, by its authors' agreement",
        limits="Celebrities as they were around 2014, most of them light-skinned and young; attributes are"
        " what those who were asked saw in a picture, not what people say of themselves.",
        paper="1711.09020",
        table="table 1",
        metric="share of people who chose it among four methods",
        figures={"hair colour": "66.2 %", "gender": "39.1 %", "age": "70.6 %"},
        note="They are noted from memory of that table: look there before you rely on them.",
    ),
)
