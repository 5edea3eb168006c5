"""Compatibility: a head of D tells by which of the batch's label vectors an image was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.errors import UserError
from ggdr.lazy import Tensor
from ggdr.networks.base import DiscriminatorOutput, Head, ImageSpec
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers

if TYPE_CHECKING:
    from ggdr.networks.base.module import Generator


@regularizers.register("compatibility", paper="1503.08677")
@dataclass(frozen=True, kw_only=True)
class Compatibility(Regularizer):
    """Classes told by what is known of them: <head of D, label vector>, a softmax over the batch's (Akata et al. 2016).

    It is AC-GAN's classifier, and GAZSL's class head (Zhu et al. 2018), for labels that describe classes, such as
    embeddings of texts, where `auxiliary_classifier` takes classes: both players want it right. Classes are the
    different label vectors of a micro-batch.
    """

    fakes: bool = True
    """D learns the classes of fakes as well, as in AC-GAN; False: those of reals alone"""
    requires: ClassVar = frozenset({Capability.HEADS, Capability.IMAGES})
    least: ClassVar = 2

    def resolve(self, spec: ImageSpec, batch_size: int) -> tuple[Self, str]:
        """UserError if there are no labels."""
        if not spec.labels:
            raise UserError(
                "compatibility tells classes by label vectors, and the data has no labels: give some (--data.labels),"
                " or drop it: --regularizers.compatibility none."
            )
        return self, ""

    def heads(self, spec: ImageSpec, generator: Generator) -> dict[str, Head]:
        return {"compatibility": Head(spec.labels)}

    def d_loss(self, duel: Duel) -> Tensor:
        of_reals = self.confusion(duel, duel.on_real)
        return of_reals + self.confusion(duel, duel.on_fake) if self.fakes else of_reals

    def g_loss(self, duel: Duel) -> Tensor:
        return self.confusion(duel, duel.on_fake)

    def confusion(self, duel: Duel, output: DiscriminatorOutput) -> Tensor:
        """Cross-entropy of the compatibility with each of the batch's label vectors, and the image's own."""
        assert duel.labels is not None
        labels = duel.labels.float()
        members = (labels[:, None] == labels).all(dim=2).sum(1)  # of the class of each, which counts once among all
        told = output.head_outputs["compatibility"] @ labels.T
        return ((told - members.log()).logsumexp(1) - told.diagonal()).mean()
