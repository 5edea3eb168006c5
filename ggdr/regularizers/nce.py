"""PatchNCE: a place of the image made is to be told from all others by the same place of its source (CUT)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ggdr.errors import above_zero
from ggdr.lazy import Tensor, torch
from ggdr.ops.contrast import patch_nce
from ggdr.play.one_way import OneWayDuel, PatchFeatures
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("nce", paper="2007.15651")
@dataclass(frozen=True, kw_only=True)
class PatchNCE(Regularizer):
    """PatchNCE: places of a fake, as G's encoder sees them, resemble those of its source (Park et al. 2020, sec. 3).

    Each place is told from the other places that are drawn of the same image, and from no other image. The loss is the
    mean over places, and over the maps of the encoder.
    """

    weight: Scheduled = 1.0
    """factor of the mean, beside squares that are not halved: in CUT's program a half for this and for `nce_identity`,
    in FastCUT 10 for this alone"""
    patches: int = 256
    """places of each map that are drawn, at most"""
    temperature: float = 0.07
    """what similarities are divided by"""
    requires: ClassVar = frozenset({Capability.PATCH_FEATURES})

    def __post_init__(self) -> None:
        above_zero(self, "patches", "temperature")

    def g_loss(self, duel: OneWayDuel) -> Tensor:  # type: ignore[override]
        return self.contrast(duel.patch_features(self.patches))

    def contrast(self, maps: Sequence[PatchFeatures]) -> Tensor:
        """The mean over maps of the loss of their places."""
        return torch.stack([patch_nce(*each, self.temperature).mean() for each in maps]).mean()


@regularizers.register("nce_identity", paper="2007.15651")
@dataclass(frozen=True, kw_only=True)
class IdentityPatchNCE(PatchNCE):
    """PatchNCE of reals and what G makes of them: nothing is changed without need (Park et al. 2020, sec. 3)."""

    weight: Scheduled = 1.0
    """factor of the mean: as much as that of `nce` in CUT; FastCUT goes without"""
    requires: ClassVar = frozenset({Capability.PATCH_FEATURES, Capability.IDENTITY})

    def g_loss(self, duel: OneWayDuel) -> Tensor:  # type: ignore[override]
        return self.contrast(duel.identity_features(self.patches))
