"""Faces of animals of kinds never seen, from a few examples, at 128 x 128 px: FUNIT (Liu et al. 2019, 1905.01723).

Target: table 1 of the paper (accuracy of translation, distance of content, Inception score, mean FID of the classes),
which was not at hand. Look there; nothing here repeats it.

Data: Animal Faces, 117,484 heads of 149 kinds cut from ImageNet, of which 119 kinds are to learn from and 30 are not
shown. A folder for each kind:
  ggdr train recipes/animal_faces_funit.py --data.source animal_faces/train --about.name "Animal Faces"
For one of the 30, some pictures of it and one of any other animal:
  ggdr translate runs/faces CAT.jpg --style FENNEC_1.jpg FENNEC_2.jpg --out made

The paper's setting: batches of 64, 100,000 of them, RMSProp at 0.0001, hinge loss, R1 (10) at each step, content
reconstruction (0.1), feature matching (1), one example in training, and a running mean of G in which each step weighs
0.001. Steps and the weight of R1 are noted from memory, and so are the networks' sizes.

Differences from the paper: both images of a fake are of one batch, the content that before the example; there they are
drawn apart. D's ReLUs are not leaky. The decoder's doublings are normalized over all channels at once. Features are
means over all places. Images are resized to 128 px.

With GGDR, type also
  --discriminator unet --discriminator.encoder funit --regularizers.ggdr ggdr
"""

from ggdr.data.images import ImageFiles
from ggdr.games.few_shot import FewShotGame
from ggdr.losses.hinge import Hinge
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.funit import FUNITDiscriminatorConfig, FUNITTranslatorConfig
from ggdr.optimizers.rmsprop import RMSProp
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.class_feature_matching import ClassFeatureMatching
from ggdr.regularizers.identity import Identity
from ggdr.regularizers.r1 import R1

RMSPROP = RMSProp(lr=1e-4)
HALF_LIFE = 44.3
"""thousands of reals after which a step's weights count half as much, where each step of 64 weighs 0.001"""

recipe = Recipe(
    data=ImageFiles(size=128, channels=3, labels="folders"),
    game=FewShotGame(),
    generator=FUNITTranslatorConfig(),
    discriminator=FUNITDiscriminatorConfig(),
    loss=Hinge(),
    regularizers={
        "r1": R1(weight=10.0, every=1),
        "identity": Identity(weight=0.1),
        "class_feature_matching": ClassFeatureMatching(weight=1.0),
    },
    metrics={"swd": SlicedWasserstein()},
    g_optimizer=RMSPROP,
    d_optimizer=RMSPROP,
    batch_size=64,
    total_kimg=6400.0,
    ema_kimg=HALF_LIFE,
    ema_rampup=None,
    sample_kimg=100.0,
    checkpoint_kimg=200.0,
    metric_kimg=200.0,
    sample_images=16,
    about=About(
        sources=("",),
        name="Animal Faces",
        url="https://nvlabs.github.io/FUNIT",
        images="heads of carnivores, which FUNIT's authors cut from photographs of ImageNet",
        licence="not known here; ImageNet found the photographs on the web; the rights are with those who made them",
        limits="Heads of 149 kinds of carnivores, as photographers frame them.",
        paper="1905.01723",
    ),
)
