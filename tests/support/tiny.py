"""Real parts, tiny: what tests build recipes, runs and duels from."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from ggdr.augment.ada import ADA
from ggdr.augment.diffaug import DiffAugment
from ggdr.augment.diffusion import Diffusion
from ggdr.data.digits import Digits
from ggdr.features.digits import Digits as ExtractorOfDigits
from ggdr.games.standard import StandardGame
from ggdr.losses.relativistic import Relativistic
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.gat import GATGeneratorConfig
from ggdr.networks.mng import MNGDiscriminatorConfig
from ggdr.networks.san import SANDiscriminatorConfig
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.timestep import TimestepDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.optimizers.adam import Adam
from ggdr.optimizers.sgd import SGD
from ggdr.recipe import Recipe
from ggdr.regularizers.ggdr import GGDR
from ggdr.regularizers.path_length import PathLength
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r1_approximate import R1Approximate
from ggdr.regularizers.r2_approximate import R2Approximate
from ggdr.regularizers.repa import REPA
from ggdr.regularizers.san import SAN
from ggdr.schedules.cosine import Cosine
from ggdr.schedules.inverse_sqrt import InverseSqrt
from ggdr.schedules.linear import Linear
from ggdr.schedules.steps import Steps

STYLEGAN2 = StyleGAN2GeneratorConfig(z_dim=8, w_dim=8, mapping_layers=2, channel_max=8)
RESNET = StyleGAN2DiscriminatorConfig(channel_max=8, mapping_layers=2)

recipe = Recipe(
    data=Digits(size=16, subset=64),
    generator=STYLEGAN2,
    discriminator=UNetDiscriminatorConfig(encoder=RESNET),
    regularizers={"r1": R1(weight=0.1, every=4), "path_length": PathLength(every=2), "ggdr": GGDR(resolutions=(8,))},
    augment=ADA(speed_kimg=0.1, target=-2.0),
    trackers={},
    batch_size=8,
    micro_batch_size=4,
    total_kimg=0.064,
    log_kimg=0.008,
    sample_kimg=0.0,
    checkpoint_kimg=0.032,
    metric_kimg=0.0,
    sample_images=4,
)
"""all at once: StyleGAN2, ADA, path length and GGDR, 8 steps of two micro-batches; p rises whatever D says"""


def dcgan(tiny: Recipe) -> Recipe:
    """The same on a pair that is not StyleGAN2."""
    terms = {name: term for name, term in tiny.regularizers.items() if name != "path_length"}
    pair = {
        "generator": DCGANGeneratorConfig(channels=8),
        "discriminator": UNetDiscriminatorConfig(encoder=DCGANDiscriminatorConfig(channels=8)),
    }
    return dataclasses.replace(tiny, regularizers=terms, **pair)


def scheduled(tiny: Recipe) -> Recipe:
    """The same with a schedule wherever there may be one, over its 8 steps, and the approximate penalties."""
    moving = {
        "r1": R1(weight=Cosine(start=2.0, end=0.2, kimg=0.064), every=4),
        "r1_approximate": R1Approximate(weight=Steps(start=0.2, milestones_kimg=(0.024, 0.048), factor=0.5), share=0.5),
        "r2_approximate": R2Approximate(weight=InverseSqrt(start=0.1, kimg=0.016), sigma=0.1),
    }
    return dataclasses.replace(
        tiny,
        g_optimizer=Adam(lr=Cosine(start=2e-3, end=5e-4, kimg=0.06), beta2=Cosine(start=0.9, end=0.99, kimg=0.06)),
        d_optimizer=SGD(lr=Linear(start=0.01, kimg=0.048, hold_kimg=0.016), clip_norm=1.0),
        regularizers=tiny.regularizers | moving,
        augment=ADA(fixed_p=Linear(start=0.0, end=0.3, kimg=0.064)),
        ema_kimg=Cosine(start=0.0, end=0.05, kimg=0.05),
        ema_rampup=None,
    )


def fresh(tiny: Recipe) -> Recipe:
    """The same with reals for G's turn that D's turn has not seen, and a loss that reads them there."""
    changes = {"loss": Relativistic(), "augment": ADA(fixed_p=0.2), "game": StandardGame(fresh_reals=True)}
    return dataclasses.replace(tiny, **changes)


def diffused(tiny: Recipe) -> Recipe:
    """The same on a D that is told the steps of a diffusion, and whose last layer is a direction; T rises."""
    inner = SANDiscriminatorConfig(encoder=DCGANDiscriminatorConfig(channels=8, norm="spectral"))
    return dataclasses.replace(
        dcgan(tiny),
        discriminator=UNetDiscriminatorConfig(encoder=TimestepDiscriminatorConfig(encoder=inner, frequencies=2)),
        regularizers={"ggdr": GGDR(resolutions=(8,)), "san": SAN()},
        augment=Diffusion(speed_kimg=0.1, target=-2.0, interval=2),
    )


def transformers(tiny: Recipe) -> Recipe:
    """The same on transformers, whose noise is nested, whose penalties are replayed, and whose tokens have teachers."""
    repa = REPA(extractor=ExtractorOfDigits(), hidden=8)
    terms = {
        "r1": R1Approximate(weight=0.1, sigma=0.1),
        "r2": R2Approximate(weight=0.1, sigma=0.1),
        "ggdr": GGDR(),
        "repa": repa,
    }
    return dataclasses.replace(
        tiny,
        generator=GATGeneratorConfig.tiny(),
        discriminator=UNetDiscriminatorConfig(encoder=MNGDiscriminatorConfig.tiny()),
        loss=Relativistic(),
        regularizers=terms,
        augment=DiffAugment(),
    )


class OneProcess:
    """What a run asks of Accelerate, in the test's own process."""

    device, num_processes, process_index, is_main_process = torch.device("cpu"), 1, 0, True
    autocast = staticmethod(lambda: torch.autocast("cpu", enabled=False))
    wait_for_everyone = staticmethod(lambda: None)
    gather = staticmethod(lambda tensor: tensor)


def tiny_run(changed: Recipe, out: Path):
    """A run of a recipe, in this process."""
    from ggdr.training.run import Run

    return Run(changed, out, OneProcess())


def moved(network):
    """The network, every weight and buffer away from its start, so that nothing hides behind a zero. Seeds torch."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
        for buffer in network.buffers():
            buffer.add_(torch.rand_like(buffer) * 0.3)  # variances stay positive
    return network
