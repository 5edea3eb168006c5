"""Label maps as the dense supervision of an unconditional discriminator: what GGDR does without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import Tensor
from ggdr.ops.pixel_classes import class_cross_entropy, fake_cross_entropy
from ggdr.play.duel import Duel, class_logits, label_map
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers


@regularizers.register("semantic", paper="2207.13320")
@dataclass(frozen=True, kw_only=True)
class Semantic(Regularizer):
    """D's decoder tells the class of each of the reals' pixels, whose label map is known (Lee et al. 2022, sec. 3).

    The generator is that of any GAN, and is shown no map. With ADA the map moves along with the image.
    """

    fakes: bool = False
    """D also tells fakes' pixels from those of all classes, as OASIS does; False: reals are segmented, no more"""
    balanced: bool = True
    """rare classes weigh as much as frequent ones of the step's batch; False: all pixels weigh the same"""
    requires: ClassVar = frozenset({Capability.CLASS_LOGITS, Capability.LABEL_MAP})

    def __post_init__(self) -> None:
        if self.fakes:
            object.__setattr__(self, "requires", type(self).requires | {Capability.FAKE_CLASS_LOGITS})

    def d_loss(self, duel: Duel) -> Tensor:
        logits, true, pixels = class_logits(duel.on_real), label_map(duel.on_real), duel.context.class_pixels
        if not self.fakes:
            return class_cross_entropy(logits[:, :-1], true, self.balanced, pixels)
        told = class_cross_entropy(logits, true, self.balanced, pixels)
        return told + fake_cross_entropy(class_logits(duel.on_fake))
