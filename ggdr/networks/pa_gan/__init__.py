"""PA-GAN: settings of a discriminator that is given random bits with the image (Zhang & Khoreva 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import above_zero
from ggdr.networks.base import DiscriminatorConfig
from ggdr.networks.dcgan import DCGANDiscriminatorConfig
from ggdr.networks.wrappers import WrapperConfig
from ggdr.registry import Capability, discriminators


@discriminators.register("pa_gan", paper="1901.10422")
@dataclass(frozen=True, kw_only=True)
class PAGANDiscriminatorConfig(WrapperConfig):
    """Any discriminator, with random bits as further channels that change its task (Zhang & Khoreva 2019).

    Where the sum of the bits is odd, real and fake change places: the logit is multiplied by -1, which is the paper's
    exchanged target for every loss that asks of -logit for a fake what it asks of logit for a real, such as
    `non_saturating` and `hinge`. The regularizer `pa_gan` says how many bits are drawn; without it none is.
    """

    encoder: DiscriminatorConfig = DCGANDiscriminatorConfig(norm="spectral")
    """the discriminator that judges; one that gives its pyramid"""
    levels: int = 5
    """bits at most, each a channel beside the image's"""
    provides: ClassVar = frozenset({Capability.PYRAMID, Capability.RANDOM_BITS})
    hides: ClassVar = frozenset({Capability.RECONSTRUCTION, Capability.SCALES, Capability.ENERGY})

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "levels")

    @classmethod
    def tiny(cls) -> Self:
        """Over a tiny DCGAN discriminator."""
        return cls(encoder=DCGANDiscriminatorConfig.tiny(), levels=2)
