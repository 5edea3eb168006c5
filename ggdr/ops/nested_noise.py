"""Nested noise: noise of several levels, each of which contains that of the level below it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def nested_noise(draws: Sequence[Tensor], levels: Sequence[float]) -> list[Tensor]:
    """Make noise of standard deviation `levels`, rising from 0 to below 1, of as many standard normal draws.

    Each is that of the level before, times r = (1 - t) / (1 - t'), and what its variance t^2 lacks, as an image that is
    noised further would have it, since x shrinks by r too (flow matching, arXiv 2210.02747; nested as in 2509.24935).
    """
    made: list[Tensor] = []
    before = 0.0
    for draw, level in zip(draws, levels, strict=True):
        ratio = (1 - level) / (1 - before)
        own = max(level**2 - (before * ratio) ** 2, 0.0) ** 0.5
        made.append(own * draw + ratio * made[-1] if made else own * draw)
        before = level
    return made
