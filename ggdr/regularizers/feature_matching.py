"""Feature matching, the reverse of GGDR: D's feature maps lead G."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from ggdr.errors import UserError
from ggdr.lazy import Tensor, torch
from ggdr.networks.base import ImageSpec
from ggdr.networks.size import pyramid_of
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers


@regularizers.register("feature_matching", paper="1606.03498")
@dataclass(frozen=True, kw_only=True)
class FeatureMatching(Regularizer):
    """Feature matching: G's fakes have the reals' mean feature maps in D (Salimans et al. 2016, sec. 3.1); experiment.

    It is GGDR turned round, for whoever asks what D's maps would teach G. The paper trains G by it alone; here it
    stands beside the adversarial loss.
    """

    resolutions: tuple[int, ...] = ()
    """heights (pixels) of D's maps to match; none: about 64, or a quarter of a small image"""
    requires: ClassVar = frozenset({Capability.PYRAMID})
    least: ClassVar = 2

    def resolve(self, spec: ImageSpec, batch_size: int) -> tuple[Self, str]:
        """Choose a side if none is given; UserError if D has no maps of one."""
        levels = pyramid_of(spec.height, spec.width)
        if strange := sorted(set(self.resolutions) - set(levels.resolutions[:-1])):
            raise UserError(
                f"feature_matching reads maps of resolution {strange}; set them among {levels.resolutions[:-1]}."
            )
        if self.resolutions:
            return self, ""
        wanted = min(64, spec.height // 4)
        chosen = (min(levels.resolutions[:-1], key=lambda resolution: abs(resolution - wanted)),)
        why = f"resolutions {chosen}, nearest to 64 px or to a quarter of a small image"
        return replace(self, resolutions=chosen), why

    def g_loss(self, duel: Duel) -> Tensor:
        real, fake = duel.on_real.maps, duel.on_fake.maps
        # Unlike the paper: mean over a map's entries, not sum, so that one weight does for every size.
        return torch.stack([(real[r].mean(0) - fake[r].mean(0)).square().mean() for r in self.resolutions]).mean()
