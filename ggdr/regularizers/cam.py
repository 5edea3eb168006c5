"""U-GAT-IT's classification inside of the generators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor
from ggdr.play.term import Regularizer
from ggdr.play.translation import CycleDuel
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("cam", paper="1907.10830")
@dataclass(frozen=True, kw_only=True)
class ClassActivationMaps(Regularizer):
    """Cross-entropy of classifiers in G that tell images of its source from those of its target (Kim et al. 2020).

    Their weights say which maps G attends to (sec. 2.2, the CAM loss of the generators). Those of D, which tell reals
    from fakes, need no term: they are logits like others.
    """

    weight: Scheduled = 1000.0
    """factor of the sum of both means; the paper's, beside squares that are not halved: 500 beside `least_squares`"""
    requires: ClassVar = frozenset({Capability.CAM, Capability.IDENTITY})

    def g_loss(self, duel: CycleDuel) -> Tensor:  # type: ignore[override]
        of_source, of_target = (made.head_outputs["cam"] for made in (duel.fake, duel.on_target))
        return F.softplus(-of_source).mean() + F.softplus(of_target).mean()
