"""Digits that were never seen, from the segments that show them: zero-shot learning (Zhu et al. 2018, 1712.01381).

The data are scikit-learn's scans as vectors of 64 numbers; two digits are held out. Of each class a vector says which
of a display's seven segments show it. G makes scans from such a vector and noise, also for the two of which no scan was
seen; the metric `zero_shot` recognises the held-out scans by the nearest that G made, beside chance and beside a
regression without a GAN. docs/zero-shot.md has five pairs of digits.

GAZSL's losses: WGAN-GP, a class head, the visual pivot. Differences from the paper: seven segments instead of an
encyclopedia's words, hence no layer that suppresses noise in them; classes are told by their vectors (`compatibility`),
not by a number each, among those of a batch; layers of 256 instead of 4,096; a rate ten times as high.
Other pairs: --data.unseen 4 7
"""

from digits import recipe as digits

from ggdr.data.vectors import Vectors
from ggdr.features.vectors import Vectors as VectorFeatures
from ggdr.losses.wasserstein import Wasserstein
from ggdr.metrics.fid import FID
from ggdr.metrics.zero_shot import ZeroShot
from ggdr.networks.mlp import MLPDiscriminatorConfig, MLPGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe
from ggdr.regularizers.compatibility import Compatibility
from ggdr.regularizers.visual_pivot import VisualPivot
from ggdr.regularizers.wgan_gp import WGANGP

recipe = Recipe(
    data=Vectors(labels="class_vectors", unseen=("4", "7"), scale="all"),
    generator=MLPGeneratorConfig(z_dim=16, channels=256, layers=1, norm="none", activation="leaky_relu", bounded=True),
    discriminator=MLPDiscriminatorConfig(channels=256, layers=1, labels="none"),
    loss=Wasserstein(clip=0.0),
    regularizers={
        "wgan_gp": WGANGP(weight=10.0),
        "compatibility": Compatibility(weight=1.0),
        "visual_pivot": VisualPivot(weight=1.0),
    },
    metrics={"zero_shot": ZeroShot(), "fid": FID(extractor=VectorFeatures(), images=1024)},
    n_critic=5,
    g_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.9),
    d_optimizer=Adam(lr=0.001, beta1=0.5, beta2=0.9),
    batch_size=256,
    total_kimg=750.0,
    ema_kimg=10.0,
    sample_kimg=250.0,
    checkpoint_kimg=250.0,
    metric_kimg=250.0,
    about=digits.about,
)
