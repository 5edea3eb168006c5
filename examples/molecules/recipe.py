"""An adversarial autoencoder of MACCS fingerprints, in the manner of druGAN: some minutes on two CPU cores.

Codes of molecules are to be distributed as a Gaussian, so that the decoder makes fingerprints of noise (Kadurin et al.
2017; Makhzani et al. 2015, arXiv 1511.05644). Not a network, a batch or a number of it is an image.
"""

from ggdr.games.autoencoder import AutoencoderGame
from ggdr.losses.non_saturating import NonSaturating
from ggdr.networks.mlp import MLPDiscriminatorConfig, MLPEncoderConfig, MLPGeneratorConfig
from ggdr.optimizers.adam import Adam
from ggdr.recipe import Recipe

from ggdr_molecules.bit_cross_entropy import BitCrossEntropy
from ggdr_molecules.fingerprint_sets import FingerprintSets
from ggdr_molecules.fingerprints import Fingerprints

recipe = Recipe(
    data=Fingerprints(),
    generator=MLPGeneratorConfig(z_dim=10, channels=256, layers=2, bounded=True),
    discriminator=MLPDiscriminatorConfig(channels=256, layers=2),
    game=AutoencoderGame(encoder=MLPEncoderConfig(channels=256, layers=2)),
    loss=NonSaturating(),
    regularizers={"bit_cross_entropy": BitCrossEntropy()},
    metrics={"fingerprint_sets": FingerprintSets()},
    e_optimizer=Adam(lr=0.001, beta1=0.9, beta2=0.999),
    g_optimizer=Adam(lr=0.0003, beta1=0.5, beta2=0.999),
    d_optimizer=Adam(lr=0.0003, beta1=0.5, beta2=0.999),
    batch_size=128,
    total_kimg=100.0,
    ema_kimg=5.0,
    sample_kimg=50.0,
    checkpoint_kimg=50.0,
    metric_kimg=25.0,
)
