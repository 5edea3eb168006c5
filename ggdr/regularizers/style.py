"""Style: means and spreads of the encoder's maps are those of another image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor, torch
from ggdr.play.stylised import StylisedDuel
from ggdr.play.term import Regularizer
from ggdr.registry import Capability, regularizers
from ggdr.schedules.base import Scheduled


@regularizers.register("style", paper="1703.06868")
@dataclass(frozen=True, kw_only=True)
class Style(Regularizer):
    """Squared differences of each map's mean and standard deviation from the style's, over several layers (eq. 13).

    Each is the mean over images and channels, and layers are summed.
    """

    weight: Scheduled = 10.0
    """factor of the sum, beside `content` with 1: that of the ports to PyTorch, which take means as here. The published
    program has 1e-2, with norms of another scale"""
    requires: ClassVar = frozenset({Capability.STYLISED})

    def g_loss(self, duel: StylisedDuel) -> Tensor:  # type: ignore[override]
        pairs = [(duel.fake_layers[name], duel.style_layers[name]) for name in duel.layers]
        return torch.stack([statistics_distance(fake, style) for fake, style in pairs]).sum()


def statistics_distance(one: Tensor, other: Tensor) -> Tensor:
    """Scalar: the mean squared differences of means, and of standard deviations, of maps [N, K, h, w]."""
    (var, mean), (wanted_var, wanted_mean) = (torch.var_mean(each, dim=(2, 3), correction=0) for each in (one, other))
    spread, wanted = ((each + 1e-5).sqrt() for each in (var, wanted_var))
    return F.mse_loss(mean, wanted_mean) + F.mse_loss(spread, wanted)
