"""Sizes: how pictures of any size become what a translator takes, in tiles where they are large."""

from __future__ import annotations

import math

from ggdr.ops.tiles import Tiling
from ggdr.play.view import Way

LEAST = 4
"""sides of images that a network sees are at least this many of its divisors, where it was built for as many"""


def tiling_for(way: Way, size: tuple[int, int], tile: int, overlap: int) -> Tiling:
    """How images of a size, pixels, are cut for a way, whose only size is that of its tiles if it has but one."""
    takes, makes = way.takes, way.makes
    if not way.size_divisor:
        step = takes.height // math.gcd(takes.height, makes.height)
        height, width = takes.height, takes.width
    else:
        step = way.size_divisor
        longest = max(size) if tile == 0 else tile
        height, width = (
            up(max(min(side, longest), least(step, own)), step)
            for side, own in zip(size, (takes.height, takes.width), strict=True)
        )
    return Tiling(height, width, min(overlap, height // 2, width // 2), step)


def padded_size(way: Way, size: tuple[int, int], tiling: Tiling) -> tuple[int, int]:
    """Height and width, pixels, that images of a size are padded to: a tile at least, and multiples of the step."""
    return max(up(size[0], tiling.step), tiling.height), max(up(size[1], tiling.step), tiling.width)


def least(step: int, own: int) -> int:
    """The least side that a network is shown, pixels: edges are mirrored, and normalized maps have several pixels."""
    return min(LEAST * step, own)


def up(side: int, step: int) -> int:
    """The next multiple of a step."""
    return math.ceil(side / step) * step
