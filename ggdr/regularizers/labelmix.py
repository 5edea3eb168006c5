"""LabelMix, the consistency of OASIS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.ops.pixel_classes import segment_masks
from ggdr.play.duel import Duel, class_logits, label_map
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@regularizers.register("labelmix", paper="2012.04781")
@dataclass(frozen=True, kw_only=True)
class LabelMix(Regularizer):
    """LabelMix: a real whose segments are partly a fake's is judged as in both (Schönfeld et al. 2021, eq. 3).

    Of each image whole classes of its label map are exchanged. It goes without augmentations that move pixels: these
    are drawn again at each judgement.
    """

    weight: float = 10.0
    """factor of the mean squared difference of class logits"""
    requires: ClassVar = frozenset({Capability.CLASS_LOGITS, Capability.FAKE_CLASS_LOGITS, Capability.LABEL_MAP})

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError beside an augmentation that moves pixels, or without a term by which D learns their classes."""
        if recipe.augment.moves:
            raise UserError(
                f"regularizer {self.name!r} compares the classes that D tells of each pixel with those of the same"
                f" place, and augmentation {recipe.augment.name!r} moves pixels by chance: take one that does not (such"
                f" as --augment diffaug --augment.policy colour cutout), or drop it: {recipe.flag(self)} none."
            )
        others = (term for term in recipe.terms().values() if term is not self)
        if not any(Capability.CLASS_LOGITS in term.requires for term in others):
            raise UserError(
                f"regularizer {self.name!r} reads what D tells of each pixel's class, which no term trains: take --loss"
                f" segmentation, add --regularizers.semantic semantic, or drop it: {recipe.flag(self)} none."
            )

    def d_loss(self, duel: Duel) -> Tensor:
        mask = segment_masks(label_map(duel.on_real))
        mixed = torch.where(mask, duel.real, duel.fake.image).detach()
        told = class_logits(duel.judge(mixed, classes=True))
        return inconsistency(told, mask, class_logits(duel.on_real), class_logits(duel.on_fake))


def inconsistency(told: Tensor, mask: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    """Mean squared difference of what D told of a mixture, and of what it told of real and fake, mixed by the mask."""
    return (told - torch.where(mask, real, fake)).square().mean()
