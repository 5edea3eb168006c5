"""GGDR: the generator's feature maps are the dense supervision that an unconditional discriminator lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.duel import Duel
from ggdr.lazy import F, Tensor
from ggdr.networks.base import Brief
from ggdr.networks.size import ladder
from ggdr.registry import regularizers
from ggdr.schedule import ramp
from ggdr.term import Regularizer


@regularizers.register("ggdr", paper="2207.13320")
@dataclass(kw_only=True)
class GGDR(Regularizer):
    """D's decoder redraws the generator's feature maps of the fakes that D judges (Lee et al. 2022, eq. 4)."""

    weight: float = 10.0
    """factor of the mean cosine distance"""
    sides: tuple[int, ...] = ()
    """heights (pixels) of the feature maps to redraw; none: about 64, or a quarter of a small image"""
    shares: tuple[float, ...] = ()
    """each side's share of the weight, in the order of `sides`; none: equal shares"""
    start_kimg: tuple[float, ...] = (0.0,)
    """when each side sets in, kimg; one number: the same for all"""
    ramp_kimg: tuple[float, ...] = (0.0,)
    """how long each side takes from there to its full share, kimg; one number: the same for all"""
    needs: ClassVar = frozenset({"g_features", "d_features"})

    def reads(self) -> tuple[int, ...]:
        return self.sides

    def fit(self, brief: Brief, batch: int) -> str:
        """Choose a side if none is given, and spread what is given once over all sides."""
        given = self.sides
        self.sides = given or (ladder(brief.height, brief.width).nearest(min(64, brief.height // 4)),)
        n = len(self.sides)
        self.shares = self.shares or (1 / n,) * n
        self.start_kimg, self.ramp_kimg = (t * n if len(t) == 1 else t for t in (self.start_kimg, self.ramp_kimg))
        if {len(self.shares), len(self.start_kimg), len(self.ramp_kimg)} != {n}:
            raise ValueError(f"ggdr has {n} sides {given}; give shares, start_kimg and ramp_kimg {n} numbers each.")
        return "" if given else f"sides {self.sides}, nearest to the paper's 64 px or to a quarter of a small image"

    def d_loss(self, duel: Duel) -> Tensor:
        drawn, true = duel.on_fake.features, duel.on_fake.guide
        total = duel.on_fake.logits.new_zeros([])
        for side, share, start, length in zip(self.sides, self.shares, self.start_kimg, self.ramp_kimg, strict=True):
            distance = 1 - F.cosine_similarity(drawn[side], true[side], dim=1).mean()
            total = total + share * ramp(duel.scene.kimg, start, length) * distance
        return total
