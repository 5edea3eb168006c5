"""ADA's image-space filter, noise and cutout (Karras et al. 2020, appendix B)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from ggdr.augment.chance import Chance
from ggdr.lazy import F, Tensor, torch
from ggdr.ops.warp import banded_matrix, fold_columns, mirror_pad, uses_filters

GAIN_STD = 1.0
NOISE_STD = 0.1
CUTOUT_SIZE = 0.5
LOWEST_BAND = 10  # times as strong as each other band in natural images, whose spectrum falls like 1 / f
HALF_BAND = tuple(tap / 32 for tap in (-1, 0, 9, 16, 9, 0, -1))  # sym2 against itself: the low pass of its power

FILTER_REACH = 3 * (1 + 2 + 4)  # pixels to each side that the three low passes reach, one after the other


class Corruption(NamedTuple):
    """What was drawn for N images, in the order in which it is applied; None: switched off."""

    filter: Tensor | None = None
    """[N, 4] factors of the frequency bands, lowest first, before their product's power is evened out"""
    noise: Tensor | None = None
    """[N, C, H, W] to be added"""
    cutout: Tensor | None = None
    """[N, 3] side of the window and its centre's x and y, in widths and heights; side 0: nothing is cut"""


def draw(on: Mapping[str, Chance]) -> Corruption:
    """Draw what `on` names, each by its chance."""
    draws = {
        "filter": lambda c: c.each(torch.exp2(GAIN_STD * c.normal(4)), 1),
        "noise": noise,
        "cutout": window,
    }
    return Corruption(**{name: drawn(on[name]) for name, drawn in draws.items() if name in on})


def noise(chance: Chance) -> Tensor:
    """White noise [N, C, H, W] whose strength is drawn for each image."""
    strength = chance.sometimes(NOISE_STD * chance.normal(1, 1, 1).abs(), 0)
    return strength * chance.normal(*chance.image.shape[1:])


def window(chance: Chance) -> Tensor:
    """Side and centre [N, 3] of the window to cut out; side 0 where none is."""
    centre = chance.uniform(2, low=0)
    side = chance.sometimes(torch.full_like(centre[:, :1], CUTOUT_SIZE), 0)
    return torch.cat([side, centre], dim=1)


def apply(image: Tensor, draws: Corruption) -> Tensor:
    """Filter image [N, C, H, W], add noise, cut out, as drawn."""
    if draws.filter is not None:
        image = filter_bands(image, draws.filter)
    if draws.noise is not None:
        image = image + draws.noise
    if draws.cutout is not None:
        side, centre = draws.cutout.split([1, 2], dim=1)
        image = cut(image, side.expand(-1, 2), centre)
    return image


def filter_bands(image: Tensor, factors: Tensor) -> Tensor:
    """Amplify four frequency bands of image [N, C, H, W] by factors [N, 4], each one's change of power undone."""
    alone = torch.where(torch.eye(4, dtype=torch.bool, device=image.device), factors[:, None], 1)  # one band at a time
    power = alone.square().sum(2) + (LOWEST_BAND - 1) * alone[:, :, 0].square()
    gains = (alone * ((LOWEST_BAND + 3) / power).sqrt()[:, :, None]).prod(1)
    same = (factors == 1).all(1)[:, None, None, None]
    return torch.where(same, image, filtered(image, gains))


def filtered(image: Tensor, gains: Tensor) -> Tensor:
    """Image [N, C, H, W], mirrored at its borders, each sample through its filter of gains [N, 4] along both axes."""
    height, width = image.shape[2:]
    if not uses_filters(height, width) or min(height, width) <= FILTER_REACH:
        down, across = (filters(gains, size) for size in (height, width))
        return down[:, None] @ image @ across[:, None].mT
    taps = (gains @ band_taps(gains.device, gains.dtype)).repeat_interleave(image.shape[1], dim=0)[:, None, None]
    for dim in (2, 3):
        image = mirror_pad(image, dim, FILTER_REACH, FILTER_REACH)
    planes = image.flatten(0, 1)[None]  # each channel of each sample is a group
    across = F.conv2d(planes, taps, groups=len(taps))
    return F.conv2d(across, taps.mT, groups=len(taps)).reshape(len(gains), -1, height, width)


def filters(gains: Tensor, size: int) -> Tensor:
    """Gains [N, 4] of the bands to the matrices [N, size, size] that filter a mirrored axis of `size` pixels."""
    return (gains @ bands(size, gains.device, gains.dtype).flatten(1)).unflatten(1, (size, size))


def cut(image: Tensor, sides: Tensor, centre: Tensor) -> Tensor:
    """Gray (0) in windows of image [N, C, H, W]: sides [N, 2] and centre [N, 2], x and y, in widths and heights."""
    axes = []
    for size, side, middle in zip(image.shape[:1:-1], sides.unbind(1), centre.unbind(1), strict=True):
        places = (torch.arange(size, device=image.device) + 0.5) / size
        axes.append((places - middle[:, None]).abs() < side[:, None] / 2)
    columns, rows = axes
    inside = rows[:, :, None] & columns[:, None]
    return torch.where(inside[:, None], 0, image)


@lru_cache(maxsize=8)
def band_taps(device: torch.device, dtype: torch.dtype) -> Tensor:
    """[4, taps]: the filters of `bands` where no border is near."""
    with torch.inference_mode(False):
        middle = 2 * FILTER_REACH
        row = bands(2 * middle, torch.device("cpu"), torch.float64)[:, middle]
        return row[:, middle - FILTER_REACH : middle + FILTER_REACH + 1].to(device, dtype)


@lru_cache(maxsize=32)
def bands(size: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """[4, size, size]: filters for up to pi/8, pi/4, pi/2 and pi along a mirrored axis; they add up to the identity."""
    with torch.inference_mode(False):  # what is kept must serve training as well
        smooth, split = torch.eye(size, dtype=torch.float64, device="cpu"), []
        for spread in (1, 2, 4):  # the same low pass, stretched: each one halves the lowest band
            taps = [HALF_BAND[lag // spread] if lag % spread == 0 else 0.0 for lag in range(6 * spread + 1)]
            smoother = fold_columns(banded_matrix(taps, size), -3 * spread, size) @ smooth
            split.append(smooth - smoother)
            smooth = smoother
        return torch.stack([smooth, *reversed(split)]).to(device, dtype)
