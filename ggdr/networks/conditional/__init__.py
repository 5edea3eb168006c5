"""Discriminators around another one that takes no labels: they show it the labels, or keep them from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.networks.wrappers import WrapperConfig
from ggdr.registry import Capability, discriminators

UNLABELLED = WrapperConfig.hides | {Capability.TIMESTEP}
"""what does not reach an encoder that is not shown labels"""


@discriminators.register("concat", paper="1411.1784")
@dataclass(frozen=True, kw_only=True)
class ConcatDiscriminatorConfig(WrapperConfig):
    """Any discriminator, to which labels are further channels of the image (Mirza & Osindero 2014, sec. 3.2).

    A plane of the label's value for each class, as convolutions ask for; the paper's layers are fully connected.
    """

    hides: ClassVar = UNLABELLED | {Capability.RECONSTRUCTION, Capability.SCALES, Capability.ENCODE}


@discriminators.register("unconditional")
@dataclass(frozen=True, kw_only=True)
class UnconditionalDiscriminatorConfig(WrapperConfig):
    """Any discriminator, which judges images without a look at their labels: a classifier's head may look instead.

    As in AC-GAN (arXiv 1610.09585), where the classes come from what a head says of the image.
    """

    hides: ClassVar = UNLABELLED
