"""Mismatched labels: what text-to-image GANs add to the discriminator's loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.errors import UserError
from ggdr.lazy import F, Tensor
from ggdr.networks.base import ImageSpec
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@regularizers.register("mismatched", paper="1605.05396")
@dataclass(frozen=True, kw_only=True)
class Mismatched(Regularizer):
    """Reals under the label of another one of the batch count as fakes for D (Reed et al. 2016, alg. 1; StackGAN).

    So D learns whether image and text belong together, not whether the image is good alone. Images that meet their own
    label again are left out. In the papers wrong pairs and fakes count half each; here the fakes keep their weight.
    """

    weight: Scheduled = 0.5
    """factor of the wrong pairs' loss, softplus of D's logit"""
    least: ClassVar = 2
    requires: ClassVar = frozenset({Capability.IMAGES})
    reads_logits: ClassVar = True

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError if the loss is another than the logistic one."""
        if not recipe.loss.logistic:
            raise UserError(
                f"mismatched is a part of the logistic loss, and loss {recipe.loss.name!r} is another: take --loss"
                f" non_saturating, or drop it: {recipe.flag(self)} none."
            )

    def resolve(self, spec: ImageSpec, batch_size: int) -> tuple[Self, str]:
        """UserError if the images have no labels."""
        if not spec.labels:
            raise UserError(
                "mismatched shows D images under wrong labels, and the data has none: give some (--data.labels), or"
                " drop it: --regularizers.mismatched none."
            )
        return self, ""

    def d_loss(self, duel: Duel) -> Tensor:
        assert duel.labels is not None
        wrong = duel.labels.roll(1, 0)
        logits = replace(duel, labels=wrong).judge(duel.real).logits
        others = (wrong != duel.labels).any(dim=1).float()
        return (F.softplus(logits).view(len(wrong), -1).mean(dim=1) * others).sum() / others.sum().clamp(min=1)
