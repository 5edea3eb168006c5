"""The data of an evaluation: all that a metric may look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ggdr.features.base import FeatureStatistics
from ggdr.features.cache import FeatureCache
from ggdr.lazy import Tensor

if TYPE_CHECKING:
    from ggdr.features.segmenter import Segmenter
    from ggdr.networks.base.module import Generator


def unlabelled(places: range) -> Tensor | None:
    """Return no labels, as for a generator that takes none."""
    return None


class Rows(NamedTuple):
    """All of a data set of vectors, and their labels."""

    images: Tensor
    """[N, K, 1, 1] float32"""
    labels: Tensor | None
    """[N, L] float32; None: unconditional"""


class EvalData(NamedTuple):
    """Real and generated images with their features, and the generator, as metrics read them."""

    real: FeatureCache
    """the real images"""
    fake: FeatureCache
    """the generated images"""
    generator: Generator | None = None
    """the network that makes the fakes; None: images come from elsewhere"""
    labels: Callable[[range], Tensor | None] = unlabelled
    """function from places to the label vectors [n, L] of the fakes there; None: the generator takes none"""
    seed: int = 0
    """seed of random numbers that a metric draws; each repeat has another"""
    statistics: FeatureStatistics | None = None
    """mean and covariance of real features, where the data holds them; `real` may then be empty"""
    truth: FeatureCache | None = None
    """the image that should be at each fake's place, where pairs tell it; None: nothing does"""
    other_draws: FeatureCache | None = None
    """what is made of the same inputs under other draws; the fakes
    themselves where nothing is drawn; None: they are made of noise, or are in files"""
    maps: Callable[[range], Tensor] | None = None
    """function from places to the label maps [n, H, W] uint8 that the fakes there are made of, 255 where ignored; None:
    they are made of none"""
    both_parts: Callable[[], tuple[Rows, Rows]] | None = None
    """reads what a generator learns from, and what the data hold out; None: nothing is held out"""
    segmenter: Callable[[], Segmenter] | None = None
    """the segmenter of the training pairs, trained at first use, where the fakes are made of label maps"""
