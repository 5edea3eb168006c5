"""The loss of WGAN; for its successor WGAN-GP set `clip` to 0 and add the regularizer `wgan_gp`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from ggdr.errors import UserError, above_zero
from ggdr.lazy import Tensor
from ggdr.play.callback import Callback
from ggdr.play.duel import Duel
from ggdr.play.term import Loss, Turn
from ggdr.ranges import LogUniform
from ggdr.registry import Capability, callbacks, losses

if TYPE_CHECKING:
    from ggdr.networks.base.module import Discriminator
    from ggdr.recipe import Recipe


@losses.register("wasserstein", paper="1701.07875")
@dataclass(frozen=True, kw_only=True)
class Wasserstein(Loss):
    """Wasserstein loss with weight clipping: D is a critic of bounded slope (Arjovsky et al. 2017, algorithm 1)."""

    clip: Annotated[float, LogUniform(1e-3, 1, paper="1711.10337")] = 0.01
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

    def callbacks(self) -> dict[str, Callback]:
        return {"clip": WeightClipping(limit=self.clip)} if self.clip else {}


@callbacks.register("weight_clipping", paper="1701.07875")
@dataclass(kw_only=True)
class WeightClipping(Callback):
    """Clip the weights of discriminators after each of their updates, which bounds their slope (Arjovsky et al. 2017).

    The loss `wasserstein` brings it along.
    """

    limit: float = 0.01
    """largest magnitude of a weight, as its layer uses it"""

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "limit")

    def after_update(self, turn: Turn, networks: Sequence[Discriminator]) -> None:
        if turn == "d":
            for network in networks:
                network.clip(self.limit)
