"""Duels of pairs whose code an encoder finds in the truth, so that what is made may take an image's style."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from ggdr.lazy import Tensor
from ggdr.networks.base import Code
from ggdr.play.translation import PairedDuel
from ggdr.registry import Capability

if TYPE_CHECKING:
    from ggdr.networks.base.module import Encoder


@dataclass
class EncodedPairedDuel(PairedDuel):
    """A translation under the code of its truth, as of a variational autoencoder (Park et al. 2019, sec. 3)."""

    encoder: Encoder = field(kw_only=True)
    """images of the target to codes; it learns on G's turn"""
    provides: ClassVar = PairedDuel.provides | {Capability.POSTERIOR}

    @cached_property
    def posterior(self) -> Code:
        """What the encoder says of the reals: mean [N, K], and log variance if it says one; float32."""
        with self.context.autocast():
            mean, log_variance = self.encoder(self.reals)
        return Code(mean.float(), None if log_variance is None else log_variance.float())

    def codes(self, n: int) -> Tensor:
        """Codes [n, z_dim] of the first n reals, drawn from what the encoder says of them."""
        return self.posterior.sample()[:n]
