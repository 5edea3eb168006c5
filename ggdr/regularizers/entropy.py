"""The entropy loss of SGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.lazy import F, Tensor
from ggdr.networks.base import Head, ImageSpec
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled

if TYPE_CHECKING:
    from ggdr.networks.base.module import Generator


@regularizers.register("entropy", paper="1612.04357")
@dataclass(frozen=True, kw_only=True)
class Entropy(Regularizer):
    """A head of D finds the whole latent code in the fake, and both learn it, so that fakes differ as codes do.

    The mean squared difference, which is -log Q(z | fake) of a normal distribution of fixed variance but for a constant
    (Huang et al. 2017, eq. 5 and 6): a bound of the fakes' entropy. In a game of several duels each code is found by
    the discriminator of the fakes that are made of it.
    """

    weight: Scheduled = 10.0
    """factor of the mean; that of the authors' program on MNIST"""
    requires: ClassVar = frozenset({Capability.HEADS})

    def heads(self, spec: ImageSpec, generator: Generator) -> dict[str, Head]:
        return {"latent": Head(generator.z_dim)}

    def d_loss(self, duel: Duel) -> Tensor:
        return self.distance(duel)

    def g_loss(self, duel: Duel) -> Tensor:
        return self.distance(duel)

    def distance(self, duel: Duel) -> Tensor:
        """Mean squared difference of codes [N, z_dim] and the head's first numbers; others are of other generators."""
        return F.mse_loss(duel.on_fake.head_outputs["latent"][:, : duel.z.shape[1]], duel.z)
