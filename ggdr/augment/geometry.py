"""ADA's pixel blitting and general geometric transforms (Karras et al. 2020, appendix B), for images and their maps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from ggdr.augment.chance import Chance
from ggdr.lazy import Tensor, torch
from ggdr.ops.warp import compose, warp_image, warp_map

MAX_SHIFT = 1 / 8
SCALE_STD = 0.2
SHIFT_STD = 1 / 8


class Geometry(NamedTuple):
    """What was drawn for N images, in the order in which it is applied; None: this transform is switched off."""

    x_flip: Tensor | None = None
    """[N], 1: left and right change places; 0: they do not"""
    quarter_turns: Tensor | None = None
    """[N] from 0 to 3"""
    integer_shift: Tensor | None = None
    """[N, 2] right and down, in widths and heights; rounded to the image's pixels when applied"""
    scale: Tensor | None = None
    """[N] factor of both sides"""
    rotation: Tensor | None = None
    """[N, 2] radians, before and after the stretch"""
    stretch: Tensor | None = None
    """[N] factor of the width, divisor of the height"""
    shift: Tensor | None = None
    """[N, 2] right and down, in widths and heights"""


def draw(on: Mapping[str, Chance]) -> Geometry:
    """Draw the transforms that `on` names, each by its chance."""
    draws = {
        "x_flip": lambda c: c.sometimes(c.whole(2), 0),
        "quarter_turns": lambda c: c.sometimes(c.whole(4), 0),
        "integer_shift": lambda c: c.sometimes(MAX_SHIFT * c.uniform(2), 0),
        "scale": lambda c: c.sometimes(torch.exp2(SCALE_STD * c.normal()), 1),
        "rotation": rotations,
        "stretch": lambda c: c.sometimes(torch.exp2(SCALE_STD * c.normal()), 1),
        "shift": lambda c: c.sometimes(SHIFT_STD * c.normal(2), 0),
    }
    return Geometry(**{name: drawn(on[name]) for name, drawn in draws.items() if name in on})


def rotations(chance: Chance) -> Tensor:
    """Two angles [N, 2]; at least one of them is drawn with probability p."""
    return chance.each(math.pi * chance.uniform(2), 0, 1 - (1 - chance.p).sqrt())


def apply(image: Tensor, maps: dict[int, Tensor], draws: Geometry) -> tuple[Tensor, dict[int, Tensor]]:
    """Move image [N, C, H, W] and its maps [N, K, h, w] alike; where nothing was drawn, they stay bit for bit."""
    if all(drawn is None for drawn in draws):
        return image, maps
    height, width = image.shape[2:]
    inverse = matrix(draws, height, width).to(image)
    still = (inverse == torch.eye(3, device=image.device)).flatten(1).all(1)[:, None, None, None]
    moved = {r: warp_map(old, inverse, height, width) for r, old in maps.items()}
    moved = {r: torch.where(still, maps[r], new) for r, new in moved.items()}
    return torch.where(still, image, warp_image(image, inverse)), moved


def matrix(draws: Geometry, height: int, width: int) -> Tensor:
    """[N, 3, 3], from output to input pixels, both counted from the centre of the image."""
    flip, turns, whole, scale, rotation, stretch, shift = draws
    inverses = []
    if flip is not None:
        inverses.append(scaling(1 - 2 * flip, torch.ones_like(flip)))
    if turns is not None:
        inverses.append(rotating(turns * (math.pi / 2)).round())  # round: a quarter turn maps pixels onto pixels
    if whole is not None:
        inverses.append(shifting(-pixels(whole, height, width).round()))
    if scale is not None:
        inverses.append(scaling(1 / scale, 1 / scale))
    if rotation is not None:
        inverses.append(rotating(rotation[:, 0]))
    if stretch is not None:
        inverses.append(scaling(1 / stretch, stretch))
    if rotation is not None:
        inverses.append(rotating(rotation[:, 1]))
    if shift is not None:
        inverses.append(shifting(-pixels(shift, height, width)))
    return compose(*inverses)


def pixels(fraction: Tensor, height: int, width: int) -> Tensor:
    """[N, 2] in widths and heights to pixels."""
    return torch.stack([fraction[:, 0] * width, fraction[:, 1] * height], dim=1)


def scaling(x: Tensor, y: Tensor) -> Tensor:
    """Factors [N] of x and y to matrices [N, 3, 3]."""
    return torch.stack([x, y, torch.ones_like(x)], dim=1).diag_embed()


def rotating(angle: Tensor) -> Tensor:
    """Angles [N] from the x to the y axis, radians, to matrices [N, 3, 3]."""
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    rows = [cos, -sin, zero, sin, cos, zero, zero, zero, zero + 1]
    return torch.stack(rows, dim=1).unflatten(1, (3, 3))


def shifting(offset: Tensor) -> Tensor:
    """Offsets [N, 2] of x and y, pixels, to matrices [N, 3, 3]."""
    eye = torch.eye(3, device=offset.device, dtype=offset.dtype).repeat(len(offset), 1, 1)
    eye[:, :2, 2] = offset
    return eye
