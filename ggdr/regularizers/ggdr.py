"""GGDR: the generator's feature maps are the dense supervision that an unconditional discriminator lacks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from ggdr.errors import UserError
from ggdr.lazy import F, Tensor
from ggdr.networks.base import ImageSpec
from ggdr.networks.size import pyramid_of
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.schedules.intervals import ramp

if TYPE_CHECKING:
    from ggdr.networks.base.module import Generator


@regularizers.register("ggdr", paper="2207.13320")
@dataclass(frozen=True, kw_only=True)
class GGDR(Regularizer):
    """D's decoder redraws the generator's feature maps of the fakes that D judges (Lee et al. 2022, eq. 4)."""

    weight: float = 10.0
    """factor of the mean cosine distance"""
    resolutions: tuple[int, ...] = ()
    """heights (pixels) of the feature maps to redraw; none: about 64, or a quarter of a small image"""
    shares: tuple[float, ...] = ()
    """each resolution's share of the weight, in the order of `resolutions`; none: equal shares"""
    start_kimg: tuple[float, ...] = (0.0,)
    """when each resolution sets in, kimg; one number: the same for all"""
    ramp_kimg: tuple[float, ...] = (0.0,)
    """how long each resolution takes from there to its full share, kimg; one number: the same for all"""
    requires: ClassVar = frozenset({Capability.G_FEATURES, Capability.D_FEATURES})

    def feature_resolutions(self) -> tuple[int, ...]:
        return self.resolutions

    def resolve(self, spec: ImageSpec, batch_size: int) -> tuple[Self, str]:
        """Choose a resolution if none is given, and spread what is given once over all of them."""
        chosen = self.resolutions or (usual_resolution(spec),)
        n, shares = len(chosen), self.shares or (1 / len(chosen),) * len(chosen)
        start, length = (t * n if len(t) == 1 else t for t in (self.start_kimg, self.ramp_kimg))
        if {len(shares), len(start), len(length)} != {n}:
            raise UserError(f"ggdr has {n} resolutions {chosen}; give {n} shares, start_kimg and ramp_kimg.")
        why = f"resolutions {chosen}, nearest to 64 px or a quarter of a small image"
        resolved = replace(self, resolutions=chosen, shares=shares, start_kimg=start, ramp_kimg=length)
        return resolved, "" if self.resolutions else why

    def among(self, generator: Generator) -> Self:
        """Choose a resolution that the generator has, if none is given and it has not the usual one."""
        usual, there = usual_resolution(generator.spec), generator.feature_channels
        if self.resolutions or not there or usual in there:
            return self
        return replace(self, resolutions=(min(there, key=lambda each: abs(each - usual)),))

    def d_loss(self, duel: Duel) -> Tensor:
        drawn, true = duel.on_fake.features, duel.on_fake.target_features
        total = duel.on_fake.logits.new_zeros([])
        for r, share, start, length in zip(self.resolutions, self.shares, self.start_kimg, self.ramp_kimg, strict=True):
            distance = 1 - F.cosine_similarity(drawn[r], true[r], dim=1).mean()
            total = total + share * ramp(duel.context.kimg, start, length) * distance
        return total


def usual_resolution(spec: ImageSpec) -> int:
    """The side of the maps that D draws where none is given, pixels: about 64, or a quarter of a small image."""
    return pyramid_of(spec.height, spec.width).nearest(min(64, spec.height // 4))
