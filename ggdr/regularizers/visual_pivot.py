"""The visual pivot of zero-shot learning: what is made of a class lies about the mean of its reals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ggdr.errors import UserError
from ggdr.lazy import Tensor
from ggdr.networks.base import ImageSpec
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("visual_pivot", paper="1712.01381")
@dataclass(frozen=True, kw_only=True)
class VisualPivot(Regularizer):
    """Visual pivot: |mean fake - mean real|^2 of each class, mean over classes (Zhu et al. 2018, GAZSL, sec. 3.3).

    Means are those of a micro-batch, over the classes that occur in it; the paper's reals are those of the whole set,
    which a batch of hundreds comes near.
    """

    weight: Scheduled = 1.0
    """factor of the mean over classes"""
    requires: ClassVar = frozenset({Capability.IMAGES})

    def resolve(self, spec: ImageSpec, batch_size: int) -> tuple[Self, str]:
        """UserError if there are no classes."""
        if not spec.labels:
            raise UserError(
                "visual_pivot compares the means of classes, and the data has none: choose labels (--data.labels), or"
                " drop it: --regularizers.visual_pivot none."
            )
        return self, ""

    def g_loss(self, duel: Duel) -> Tensor:
        assert duel.labels is not None
        alike = (duel.labels[:, None] == duel.labels).all(dim=2).float()  # [N, N]: of one class
        members = alike.sum(1)
        apart = (alike / members[:, None]) @ (duel.fake.image - duel.reals).flatten(1)  # of the class of each
        return (apart.square().sum(1) / members).sum() / (1 / members).sum()
