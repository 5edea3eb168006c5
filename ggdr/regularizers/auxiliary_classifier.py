"""The auxiliary classifier of AC-GAN."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.errors import UserError
from ggdr.formatting import significant
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
    StarGAN's domain classification (Choi et al. 2018, eq. 2 and 3) is this with `fakes` False.
    """

    fakes: bool = True
    """D learns the classes of fakes as well, as in AC-GAN; False: those of reals alone, as in StarGAN"""
    attributes: bool | None = None
    """labels are attributes, each there (above 0) or not, as in StarGAN on CelebA; None: unless they are classes"""
    requires: ClassVar = frozenset({Capability.HEADS, Capability.IMAGES})

    def resolve(self, spec: ImageSpec, batch_size: int) -> tuple[Self, str]:
        """Choose between classes and attributes; UserError if the images have neither."""
        if not spec.labels:
            raise UserError(
                "auxiliary_classifier tells classes, and the data has no labels: give some (--data.labels), or"
                " drop it: --regularizers.auxiliary_classifier none."
            )
        attributes = bool(spec.label_ranges) if self.attributes is None else self.attributes
        names = spec.label_names or [f"number {place}" for place in range(spec.labels)]
        for name, (low, high) in zip(names, spec.label_ranges, strict=False):
            if attributes and low < high and not low <= 0 <= high:
                raise UserError(
                    f"auxiliary_classifier tells attributes, which are there (above 0) or not, and {name!r} of the"
                    f" labels goes from {significant(low)} to {significant(high)}: choose others (--data.labels), or"
                    " drop it: --regularizers.auxiliary_classifier none."
                )
        why = "attributes, each told by itself: labels are no classes" if attributes and not self.attributes else ""
        return replace(self, attributes=attributes), why

    def heads(self, spec: ImageSpec, generator: Generator) -> dict[str, Head]:
        return {"classes": Head(spec.labels)}

    def d_loss(self, duel: Duel) -> Tensor:
        of_reals = self.confusion(duel, duel.on_real)
        return of_reals + self.confusion(duel, duel.on_fake) if self.fakes else of_reals

    def g_loss(self, duel: Duel) -> Tensor:
        return self.confusion(duel, duel.on_fake)

    def confusion(self, duel: Duel, output: DiscriminatorOutput) -> Tensor:
        """Cross-entropy of the head's answers and the duel's labels [N, L]: of classes, or summed over attributes."""
        assert duel.labels is not None
        told, true = output.head_outputs["classes"], duel.labels.float()
        if self.attributes:
            return F.binary_cross_entropy_with_logits(told, (true > 0).float(), reduction="none").sum(1).mean()
        return F.cross_entropy(told, true)
