"""Image reconstruction: an image can be made again of its code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ggdr.lazy import F, Tensor
from ggdr.play.decoded import DecodedDuel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers


@regularizers.register("image_reconstruction", paper="1511.05644")
@dataclass(frozen=True, kw_only=True)
class ImageReconstruction(Regularizer):
    """Mean squared difference of each real from what the decoder makes of its code (Makhzani et al. 2015, sec. 2).

    Pixels are in [-1, 1]. Encoder and decoder learn by it, on a turn apart.
    """

    norm: Literal["l2", "l1"] = "l2"
    """the mean of squared differences, as in the paper, or of absolute ones"""
    requires: ClassVar = frozenset({Capability.DECODED})

    def e_loss(self, duel: DecodedDuel) -> Tensor:  # type: ignore[override]
        distance = F.mse_loss if self.norm == "l2" else F.l1_loss
        return distance(duel.fake.image, duel.reals)
