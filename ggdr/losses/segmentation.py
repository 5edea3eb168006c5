"""The loss of OASIS: the discriminator tells the class of each pixel, of which one is that of fakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ggdr.errors import UserError
from ggdr.lazy import Tensor
from ggdr.networks.base import DiscriminatorConfig, DiscriminatorOutput
from ggdr.ops.pixel_classes import class_cross_entropy, fake_cross_entropy
from ggdr.play.duel import Duel, class_logits, label_map
from ggdr.play.term import Loss, Term
from ggdr.registry import Capability, losses

if TYPE_CHECKING:
    from ggdr.recipe import Recipe


@losses.register("segmentation", paper="2012.04781")
@dataclass(frozen=True, kw_only=True)
class Segmentation(Loss):
    """Segmentation loss: D tells pixels' classes, one of them fake; G wants its map's (Schönfeld et al. 2021, eq. 1).

    Classes are weighed by how rare they are in the step's batch, ignored pixels by 0. The logits of discriminator
    `oasis` are the log-odds of its classes; those that another has beside them learn nothing here.
    """

    balanced: bool = True
    """rare classes weigh as much as frequent ones; False: all pixels weigh the same"""
    requires: ClassVar = frozenset(
        {Capability.CLASS_LOGITS, Capability.FAKE_CLASS_LOGITS, Capability.LABEL_MAP, Capability.SOURCE}
    )

    def check_recipe(self, recipe: Recipe) -> None:
        """UserError beside a term that reads logits which learn nothing here."""
        for term in recipe.regularizers.values() if not self.trains_logits_of(recipe.discriminator) else ():
            if term.reads_logits:
                raise UserError(
                    f"regularizer {term.name!r} reads D's own logits, of which those of {recipe.discriminator.name!r}"
                    f" learn nothing under loss {self.name!r}: take --discriminator oasis, whose logits are those of"
                    f" its classes, or drop it, {recipe.flag(term)} none."
                )

    def trains_logits_of(self, discriminator: DiscriminatorConfig) -> bool:
        return Capability.CLASS_ODDS in discriminator.provides

    def loss(self, duel: Duel) -> Tensor:
        """Scalar of the duel's turn: there is one, however many logits D gives."""
        return Term.loss(self, duel)

    def d_loss(self, duel: Duel) -> Tensor:
        return self.told(duel, duel.on_real) + fake_cross_entropy(class_logits(duel.on_fake))

    def g_loss(self, duel: Duel) -> Tensor:
        return self.told(duel, duel.on_fake)

    def told(self, duel: Duel, output: DiscriminatorOutput) -> Tensor:
        """How far what D tells of pixels is from their map, as balanced as the step's batch is."""
        pixels = duel.context.class_pixels
        return class_cross_entropy(class_logits(output), label_map(output), self.balanced, pixels)
