"""Image sizes a network of doublings can make: a small base times a power of two."""

from __future__ import annotations

from typing import NamedTuple

from ggdr.errors import UserError

LONGEST = 15
"""longer side of the base, pixels"""
SMALLEST = 4
"""shorter side of the base, pixels, where the size allows it"""
LEAST_PATCH = 2
"""least side of the maps that logits of patches are made of, pixels; each layer that keeps the size takes one more"""
MOST_PX = 2**14
"""a side of an image, pixels; beyond it a single image takes gigabytes in a network"""


class Pyramid(NamedTuple):
    """The sizes from a small base up to the whole image, each twice the one before."""

    height: int
    """height of the base, pixels"""
    width: int
    """width of the base, pixels"""
    doublings: int
    """from the base to the image"""

    @property
    def resolutions(self) -> list[int]:
        """Heights from the base to the image, pixels."""
        return [self.height << level for level in range(self.doublings + 1)]

    def nearest(self, resolution: int) -> int:
        """The resolution nearest to this one, pixels, of those above the base."""
        return min(self.resolutions[1:], key=lambda each: abs(each - resolution))

    def size(self, level: int) -> tuple[int, int]:
        """Height and width after `level` doublings, pixels."""
        return self.height << level, self.width << level


def pyramid_of(height: int, width: int, smallest: int = SMALLEST) -> Pyramid:
    """The most doublings that leave a base of at least `smallest` px a side (fewer where the longer side asks for it).

    UserError, naming sizes that work, if both sides are not a base of at most 15 px times one power of two.
    """
    if max(height, width) > MOST_PX:
        raise UserError(
            f"cannot make images of {height} x {width} px: a side has at most {MOST_PX:,} px; choose less by"
            " --data.size H W, to which images are resized."
        )
    if found := _fit(height, width, smallest):
        return found
    nearby = ", ".join(f"{h} x {w}" for h, w in _nearby(height, width))
    raise UserError(
        f"cannot make images of {height} x {width} px: both sides must be a base of 2 to {LONGEST} px times one "
        f"power of two; choose one of the nearest that work by --data.size H W, to which images are resized: {nearby}."
    )


def possible(height: int, width: int) -> bool:
    """Whether there is a pyramid of that size."""
    return _fit(height, width) is not None


def channels(base: int, limit: int, level: int) -> int:
    """Channels after `level` doublings: the paper's min(base / resolution, limit), resolutions counted from 4."""
    return max(min(base // (4 << level), limit), 1)


def doubling_channels(base_channels: int, limit: int, count: int) -> list[int]:
    """Return `count` numbers of channels, the smallest maps' first: `base_channels` at the largest, doubled below."""
    return [min(base_channels << level, limit) for level in reversed(range(count))]


def check_halvings(size: tuple[int, int], halvings: int, name: str) -> None:
    """UserError, naming a size that works, unless both sides (pixels) are whole after these halvings.

    `name`: of the network.
    """
    unit = 1 << halvings
    if any(side % unit for side in size):
        near = [max(round(side / unit), 1) * unit for side in size]
        raise UserError(
            f"{name!r} halves its maps {halvings} times, and images of {size[0]} x {size[1]} px are no multiples of"
            f" {unit} px; resize them: --data.size {near[0]} {near[1]}."
        )


def fitting_halvings(wanted: int, size: tuple[int, int], name: str, unstrided: int = 1, note: str = "") -> int:
    """How many halvings, at most those `wanted`, leave a patch of an image (height and width, pixels).

    `name`: of the network; `unstrided`: its layers between the last halving and the logits; `note`: what the message
    adds to the size. UserError if there is none.
    """
    least = LEAST_PATCH + unstrided
    possible = [n for n in range(1, wanted + 1) if min(size) >> n >= least]
    if not possible:
        raise UserError(f"{name!r} finds no patch in {size[0]} x {size[1]} px{note}; it needs {2 * least} px a side.")
    check_halvings(size, possible[-1], name)
    return possible[-1]


def even_halvings(*sides: int) -> int:
    """How often all of these sides can be halved to whole pixels."""
    return min((side & -side).bit_length() - 1 for side in sides)


def check_same_size(taken: tuple[int, int], made: tuple[int, int], name: str) -> None:
    """UserError unless a translator makes images of the size that it takes: height and width, pixels.

    `name`: of the translator.
    """
    if made != taken:
        raise UserError(
            f"{name!r} makes images of the size that it takes, not {made[0]} x {made[1]} px of {taken[0]} x"
            f" {taken[1]} px; take --generator resnet_translator."
        )


def doublings_between(small: tuple[int, int], large: tuple[int, int], name: str) -> int:
    """Number of doublings from one size (height and width, pixels) to another; UserError if there is none.

    `name`: of the network that doubles them.
    """
    times = max((large[0] // small[0]).bit_length() - 1, 0)
    if (small[0] << times, small[1] << times) != large:
        raise UserError(
            f"{name!r} doubles maps of {small[0]} x {small[1]} px, which never makes images of {large[0]} x {large[1]}"
            " px; let what it makes be as large as what it takes, or 2, 4, 8 ... times."
        )
    return times


def _fit(height: int, width: int, smallest: int = SMALLEST) -> Pyramid | None:
    """The pyramid of a size, if it has one."""
    for least in range(smallest, 1, -1):
        doublings = 0
        while not any(
            resolution % (2 << doublings) or resolution >> (doublings + 1) < least for resolution in (height, width)
        ):
            doublings += 1
        if doublings and max(height, width) >> doublings <= LONGEST:
            return Pyramid(height >> doublings, width >> doublings, doublings)
    return None


def _nearby(height: int, width: int) -> list[tuple[int, int]]:
    """The three nearest sizes that have a pyramid, nearest first."""

    def around(resolution: int, unit: int) -> set[int]:
        return {max(resolution // unit, 2) * unit, max(-(-resolution // unit), 2) * unit}

    units = [1 << power for power in range(1, max(height, width).bit_length() + 1)]
    sizes = {(h, w) for unit in units for h in around(height, unit) for w in around(width, unit) if _fit(h, w)}
    return sorted(sizes, key=lambda size: (abs(size[0] - height) + abs(size[1] - width), size))[:3]
