"""No adversarial loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.play.term import Loss
from ggdr.registry import losses


@losses.register("none")
@dataclass(frozen=True, kw_only=True)
class NoLoss(Loss):
    """No adversarial loss, beside discriminator `none`: regularizers alone train the generator."""

    adversarial: ClassVar = False
    undecided: ClassVar = None
    ranks: ClassVar = False
