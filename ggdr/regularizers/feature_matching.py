"""Feature matching, the reverse of GGDR: D's feature maps guide G."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.duel import Duel
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import Brief
from ggdr.networks.size import ladder
from ggdr.registry import regularizers
from ggdr.term import Regularizer


@regularizers.register("feature_matching", paper="1606.03498")
@dataclass(kw_only=True)
class FeatureMatching(Regularizer):
    """Feature matching: G's fakes have the reals' mean feature maps in D (Salimans et al. 2016, sec. 3.1); experiment.

    It is GGDR turned round, for whoever asks what D's maps would teach G. The paper trains G by it alone; here it
    stands beside the adversarial loss.
    """

    sides: tuple[int, ...] = ()
    """heights (pixels) of D's maps to match; none: about 64, or a quarter of a small image"""
    needs: ClassVar = frozenset({"pyramid"})
    least: ClassVar = 2

    def fit(self, brief: Brief, batch: int) -> str:
        """Choose a side if none is given; ValueError if D has no maps of one."""
        rungs = ladder(brief.height, brief.width)
        if strange := sorted(set(self.sides) - set(rungs.sides[:-1])):
            raise ValueError(f"feature_matching reads maps of side {strange}; set its sides among {rungs.sides[:-1]}.")
        if self.sides:
            return ""
        self.sides = (min(rungs.sides[:-1], key=lambda side: abs(side - min(64, brief.height // 4))),)
        return f"sides {self.sides}, nearest to 64 px or to a quarter of a small image"

    def g_loss(self, duel: Duel) -> Tensor:
        real, fake = duel.on_real.maps, duel.on_fake.maps
        # Unlike the paper: mean over a map's entries, not sum, so that one weight does for every size.
        return torch.stack([(real[r].mean(0) - fake[r].mean(0)).square().mean() for r in self.sides]).mean()
