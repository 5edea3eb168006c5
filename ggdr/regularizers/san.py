"""The other half of a slicing adversarial network: the last layer's direction is the one that separates most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import DiscriminatorOutput
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@regularizers.register("san", paper="2301.12811")
@dataclass(frozen=True, kw_only=True)
class SAN(Regularizer):
    """Slicing adversarial network: D's last direction is the one that parts reals and fakes most (Takida et al. 2024).

    The mean of direction and code over fakes, less that over reals, by which the direction alone learns: a Wasserstein
    loss beside the adversarial one, which teaches all else of D. It goes with discriminator `san`.
    """

    weight: float = 1.0
    """lambda"""
    weighting: Literal["uniform", "logistic"] = "uniform"
    """how much each image counts, which follows from the loss: all the same for `hinge` and `wasserstein`; "logistic",
    by how little real D takes it for, sigmoid(-logit), for `non_saturating` (the derivative of what G pays for it)"""
    requires: ClassVar = frozenset({Capability.DIRECTION_LOGITS})
    reads_logits: ClassVar = True

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if images are to be weighted as under a loss that is not the recipe's."""
        if self.weighting == "logistic" and not recipe.loss.logistic:
            raise UserError(
                f"regularizer {self.name!r} weights images as the logistic loss does, and the loss is"
                f" {recipe.loss.name!r}: set {recipe.flag(self)}.weighting uniform, or take --loss non_saturating."
            )

    def d_loss(self, duel: Duel) -> Tensor:
        return self.mean(duel.on_fake) - self.mean(duel.on_real)

    def mean(self, judged: DiscriminatorOutput) -> Tensor:
        """The mean of the direction's logits, a scalar, under the weighting; RuntimeError if it has none."""
        if judged.direction_logits is None:
            raise RuntimeError("this output of D has no logits of its direction: the term must require them.")
        if self.weighting == "uniform":
            return judged.direction_logits.mean()
        share = torch.sigmoid(-judged.logits.detach())
        return (share * judged.direction_logits).sum() / share.sum()
