"""SGAN on scikit-learn's digits: a stack of generators that inverts a classifier (Huang et al. 2017, 1612.04357).

No download: the classifier is `digits`, a small one that is trained at first use. One generator makes its last hidden
layer's 64 numbers of noise and a digit, another one images of noise and these numbers. The rows of the paper's ablation
(table 2), by flags; docs/stacks.md has what they come to:
  L_adv                 --game.levels 1 --regularizers.conditional none --regularizers.entropy none
  L_adv + L_ent         --game.levels 1 --regularizers.conditional none
  L_adv + L_cond        --game.levels 1 --regularizers.entropy none
  all three             --game.levels 1
  SGAN, no joint        --game.joint-kimg none
  SGAN                  (as it stands)

Differences from the paper's MNIST: 1,797 digits at 32 px; DCGAN's networks with an eighth of its channels, in batches
of 32, at ten times the rate; codes ~ N(0, 1) instead of uniform; joint training from the start, where the paper trains
independently first (`--game.joint-kimg 10`). GGDR goes with it: `--regularizers.ggdr ggdr`.
"""

from dataclasses import replace

from digits_dcgan import recipe as dcgan

from ggdr.data.digits import Digits
from ggdr.features.digits import Digits as DigitFeatures
from ggdr.games.stack import StackGame
from ggdr.metrics.inception_score import InceptionScore
from ggdr.metrics.swd import SlicedWasserstein
from ggdr.networks.mlp import MLPDiscriminatorConfig, MLPGeneratorConfig
from ggdr.regularizers.conditional import Conditional
from ggdr.regularizers.entropy import Entropy

recipe = replace(
    dcgan,
    data=Digits(size=32, labels=True),
    game=StackGame(
        extractor=DigitFeatures(),
        features=MLPGeneratorConfig(z_dim=50, channels=256, layers=2),
        discriminator_features=MLPDiscriminatorConfig(channels=256, layers=2),
    ),
    regularizers={"conditional": Conditional(weight=1.0), "entropy": Entropy(weight=10.0)},
    metrics={
        "is": InceptionScore(extractor=DigitFeatures(), images=1000),
        "swd": SlicedWasserstein(images=1024),
    },
    metric_kimg=10.0,
)
