"""The auxiliary classifier of AC-GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.errors import UserError
from ggdr.lazy import F, Tensor
from ggdr.networks.base import DiscriminatorOutput, Head, ImageSpec
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers

if TYPE_CHECKING:
    from ggdr.networks.base.module import Generator


@regularizers.register("auxiliary_classifier", paper="1610.09585")
@dataclass(frozen=True, kw_only=True)
class AuxiliaryClassifier(Regularizer):
    """Auxiliary classifier: a head of D tells the class; both players want it right (Odena et al. 2017, eq. 3).

    In the paper D's logit does not see the label; one that projects it, as `stylegan2` and `dcgan` do, sees it as well.
    """

    requires: ClassVar = frozenset({Capability.HEADS})

    def resolve(self, spec: ImageSpec, batch_size: int) -> tuple[Self, str]:
        """UserError if the images have no classes."""
        if not spec.labels:
            raise UserError(
                "auxiliary_classifier tells classes, and the data has no labels: give some (--data.labels), or"
                " drop it: --regularizers.auxiliary_classifier none."
            )
        return self, ""

    def heads(self, spec: ImageSpec, generator: Generator) -> dict[str, Head]:
        return {"classes": Head(spec.labels)}

    def d_loss(self, duel: Duel) -> Tensor:
        return self.confusion(duel, duel.on_real) + self.confusion(duel, duel.on_fake)

    def g_loss(self, duel: Duel) -> Tensor:
        return self.confusion(duel, duel.on_fake)

    def confusion(self, duel: Duel, output: DiscriminatorOutput) -> Tensor:
        """Cross-entropy of the head's classes and the duel's labels [N, L], rows of sum 1."""
        assert duel.labels is not None
        return F.cross_entropy(output.head_outputs["classes"], duel.labels.float())
