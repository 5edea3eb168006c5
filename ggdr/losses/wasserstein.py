"""The loss of WGAN; for its successor WGAN-GP set `clip` to 0 and add the regularizer `wgan_gp`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError
from ggdr.lazy import Tensor
from ggdr.play.duel import Duel
from ggdr.play.term import Loss, Turn
from ggdr.registry import Capability, losses

if TYPE_CHECKING:
    from ggdr.networks.base.module import Discriminator
    from ggdr.recipe import Recipe


@losses.register("wasserstein", paper="1701.07875")
@dataclass(kw_only=True)
class Wasserstein(Loss):
    """Wasserstein loss with weight clipping: D is a critic of bounded slope (Arjovsky et al. 2017, algorithm 1)."""

    clip: float = 0.01
    """largest magnitude of a critic's weight after each update, as its layer uses it; 0, beside `wgan_gp`: no clipping

    The paper's 0.01 suits critics with batch normalization, such as dcgan; stylegan2 wants 0.1, or gradients vanish.
    """
    undecided: ClassVar = None
    symmetric: ClassVar = True

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if a penalty bounds the critic's slope as well."""
        bounding = next((term for term in recipe.regularizers.values() if Capability.SLOPE in term.provides), None)
        if self.clip and bounding:
            raise UserError(
                f"loss 'wasserstein' clips D's weights (clip {self.clip:g}) where {bounding.name!r} draws D's slope to"
                f" a number that clipped weights do not reach: set --loss.clip 0, or {recipe.flag(bounding)} none."
            )

    def d_loss(self, duel: Duel) -> Tensor:
        return duel.on_fake.logits.mean() - duel.on_real.logits.mean()

    def g_loss(self, duel: Duel) -> Tensor:
        return -duel.on_fake.logits.mean()

    def after_update(self, turn: Turn, networks: Sequence[Discriminator]) -> None:
        if turn == "d" and self.clip:
            for network in networks:
                network.clip(self.clip)
