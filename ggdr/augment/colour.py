"""ADA's colour transforms (Karras et al. 2020, appendix B), for any number of channels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from ggdr.augment.chance import Chance
from ggdr.lazy import F, Tensor, torch
from ggdr.ops.warp import compose

BRIGHTNESS_STD = 0.2
CONTRAST_STD = 0.5
SATURATION_STD = 1.0


class Colour(NamedTuple):
    """What was drawn for N images, in the order in which it is applied; None: this transform is switched off."""

    brightness: Tensor | None = None
    """[N] added to each channel"""
    contrast: Tensor | None = None
    """[N] factor of each channel"""
    luma_flip: Tensor | None = None
    """[N], 1: bright and dark change places, hues stay; 0: they do not"""
    hue: Tensor | None = None
    """[N] radians about the gray axis"""
    saturation: Tensor | None = None
    """[N] factor of the distance from the gray axis"""


def draw(on: Mapping[str, Chance]) -> Colour:
    """Draw the transforms that `on` names, each by its chance."""
    draws = {
        "brightness": lambda c: c.sometimes(BRIGHTNESS_STD * c.normal(), 0),
        "contrast": lambda c: c.sometimes(torch.exp2(CONTRAST_STD * c.normal()), 1),
        "luma_flip": lambda c: c.sometimes(c.whole(2), 0),
        "hue": lambda c: c.sometimes(math.pi * c.uniform(), 0),
        "saturation": lambda c: c.sometimes(torch.exp2(SATURATION_STD * c.normal()), 1),
    }
    return Colour(**{name: drawn(on[name]) for name, drawn in draws.items() if name in on})


def apply(image: Tensor, draws: Colour) -> Tensor:
    """Recolour image [N, C, H, W]; of four channels the last is opacity and stays, and so does an undrawn image."""
    if all(drawn is None for drawn in draws):
        return image
    if image.shape[1] == 4:
        return torch.cat([apply(image[:, :3], draws), image[:, 3:]], dim=1)
    change = matrix(draws, image.shape[1]).to(image)
    same = (change == torch.eye(image.shape[1] + 1, device=image.device)).flatten(1).all(1)[:, None, None, None]
    recoloured = change[:, :-1, :-1] @ image.flatten(2) + change[:, :-1, -1:]
    return torch.where(same, image, recoloured.view_as(image))


def matrix(draws: Colour, channels: int) -> Tensor:
    """[N, C + 1, C + 1], from old to new colours (1 is appended to both); a hue needs three channels to turn."""
    like = next(drawn for drawn in draws if drawn is not None)
    colours = torch.ones(channels + 1, device=like.device, dtype=like.dtype)
    colours[-1] = 0
    eye, gray = (
        torch.eye(channels + 1, device=like.device, dtype=like.dtype),
        torch.outer(colours, colours) / channels,
    )  # gray: onto the gray axis
    brightness, contrast, flip, hue, saturation = (None if drawn is None else drawn[:, None, None] for drawn in draws)
    steps = [eye[None]]
    if brightness is not None:
        steps.append(eye + brightness * torch.outer(colours, 1 - colours))
    if contrast is not None:
        steps.append(eye + (contrast - 1) * colours.diag())
    if flip is not None:
        steps.append(eye - 2 * flip * gray)
    if hue is not None and channels == 3:
        steps.append(eye + hue.sin() * cross(gray) + (1 - hue.cos()) * (gray - colours.diag()))
    if saturation is not None:
        steps.append(eye + (saturation - 1) * (colours.diag() - gray))
    return compose(*reversed(steps)).expand(len(like), -1, -1)


def cross(like: Tensor) -> Tensor:
    """[4, 4]: the cross product of the unit vector along the gray axis with a colour, for Rodrigues' rotation."""
    next_channel = torch.eye(3, device=like.device, dtype=like.dtype).roll(1, 0)
    return F.pad(next_channel - next_channel.mT, (0, 1, 0, 1)) / math.sqrt(3)
