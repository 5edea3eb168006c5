"""EvalData: all that a metric may look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ggdr.features.base import FeatureStatistics
from ggdr.features.cache import FeatureCache
from ggdr.lazy import Tensor

if TYPE_CHECKING:
    from ggdr.networks.base.module import Generator


def unlabelled(places: range) -> Tensor | None:
    """No labels, whatever the places."""
    return None


class EvalData(NamedTuple):
    """What is measured: generated images against real ones."""

    real: FeatureCache
    fake: FeatureCache
    generator: Generator | None = None
    """None where images come from elsewhere"""
    labels: Callable[[range], Tensor | None] = unlabelled
    """the label vectors [n, L] of the generated images at these places; None if the generator takes none"""
    seed: int = 0
    """seed of what a metric draws for itself; another one in each repeat"""
    statistics: FeatureStatistics | None = None
    """source of more real images than those at hand, where the data holds them; `real` may then be empty"""
