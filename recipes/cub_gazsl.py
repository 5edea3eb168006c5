"""GAZSL on CUB: features of birds that were never seen, from texts about them (Zhu et al. 2018, arXiv 1712.01381).

Data: `--data.source FILE.npz` with the features of Caltech-UCSD Birds' images (the paper: 3,584 numbers of seven parts
each), `classes`, `class_names`, `class_vectors` (TF-IDF of each bird's article) and `unseen` (the split's held-out
classes); `ggdr train cub_gazsl --help` says how they are laid out. Nobody has downloaded them here: the recipe was
checked by dry runs on vectors of that shape.
Target: 43.74 % of the unseen birds right in the easy split (SCS) and 10.28 % in the hard one (SCE): numbers from
memory, not held against the paper.

From the paper, as far as memory serves: a layer of 1,000 that suppresses noise in texts, one of 4,096 with leaky ReLUs
in G and D, z of 100, WGAN-GP with five steps of D, batches of 1,000, Adam(1e-4, 0.5, 0.9), the visual pivot, 60 made
vectors a class, the nearest of which names an unseen one.
Differences: classes are told by their vectors (`compatibility`), among those of a batch, not by a number each; the
pivot's real means are those of a batch; leaky ReLUs in D; numbers are scaled to [-1, 1], the tanh's range.
"""

from ggdr.data.vectors import Vectors
from ggdr.features.vectors import Vectors as VectorFeatures
from ggdr.losses.wasserstein import Wasserstein
from ggdr.metrics.fid import FID
from ggdr.metrics.zero_shot import ZeroShot
from ggdr.networks.mlp import MLPDiscriminatorConfig, MLPGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.recipe.about import About
from ggdr.regularizers.compatibility import Compatibility
from ggdr.regularizers.visual_pivot import VisualPivot
from ggdr.regularizers.wgan_gp import WGANGP

recipe = Recipe(
    data=Vectors(source="cub.npz", labels="class_vectors"),
    generator=MLPGeneratorConfig(
        z_dim=100,
        channels=4096,
        layers=1,
        norm="none",
        activation="leaky_relu",
        label_channels=1000,
        bounded=True,
    ),
    discriminator=MLPDiscriminatorConfig(channels=4096, layers=1, labels="none"),
    loss=Wasserstein(clip=0.0),
    regularizers={
        "wgan_gp": WGANGP(weight=10.0),
        "compatibility": Compatibility(weight=1.0),
        "visual_pivot": VisualPivot(weight=1.0),
    },
    metrics={"zero_shot": ZeroShot(), "fid": FID(extractor=VectorFeatures(), images=2048)},
    n_critic=5,
    g_optimizer=Adam(lr=1e-4, beta1=0.5, beta2=0.9),
    d_optimizer=Adam(lr=1e-4, beta1=0.5, beta2=0.9),
    batch_size=1000,
    total_kimg=15000.0,
    ema_kimg=10.0,
    sample_kimg=1000.0,
    checkpoint_kimg=1000.0,
    metric_kimg=500.0,
    about=About(
        sources=("cub.npz",),
        name="Caltech-UCSD Birds-200-2011, features",
        url="https://www.vision.caltech.edu/datasets/cub_200_2011/",
        images="features of photographs of 200 kinds of birds, and of the encyclopedia's articles about them",
    ),
)
