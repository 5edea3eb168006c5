"""Styles: what a translator takes of other pictures, beside the content of the one that it is given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ggdr.errors import UserError, setting
from ggdr.networks.base import ImageSpec
from ggdr.pipeline.pictures import Shown, inputs_of
from ggdr.play.view import Way


class Style(NamedTuple):
    """The style of one or several pictures, encoded: it may be given again wherever they may be given."""

    code: Tensor
    """[1, S], the weighted mean of the codes of the pictures"""
    view: str
    """the way that takes it"""


@torch.no_grad()
def encode(
    pictures: Shown | Sequence[Shown], weights: Sequence[float] | None, way: Way, device: torch.device
) -> Tensor:
    """The weighted mean [1, S] of the codes of style pictures; UserError if they are none, or weights do not fit.

    Pictures are of any size; each is made as large as those that the way learned with, and its middle cut out.
    """
    assert way.encode_style is not None and way.style_spec is not None
    shown = [fitted(picture, way.style_spec) for picture in inputs_of(pictures, way.style_spec)]
    shares = shares_of(weights, len(shown)).to(device)
    codes = torch.cat([way.encode_style(picture[None].to(device)).float() for picture in shown])
    return shares @ codes


def shares_of(weights: Sequence[float] | None, count: int) -> Tensor:
    """The share of each style [1, K], whose sum is 1; UserError if the weights are not as many, or no weights."""
    if weights is None:
        return torch.full((1, count), 1 / count)
    given, name = list(weights), setting("style_weights")
    if len(given) != count:
        raise UserError(
            f"{name} are {len(given)}, and style pictures are {count}; give a number for each picture, such as"
            f" {' '.join(['1'] * count)}."
        )
    if not all(math.isfinite(each) and each >= 0 for each in given) or not sum(given):
        raise UserError(f"{name} are {' '.join(map(str, given))}; give numbers of 0 or more, not all of them 0.")
    return torch.tensor([given], dtype=torch.float32) / sum(given)


def check_strength(strength: float | None, styled: bool, name: str, way: Way) -> None:
    """UserError if a way cannot go part of the way from a picture's own style to another; `styled`: one is given."""
    if strength is None:
        return
    if way.own_code is None:
        raise UserError(
            f"{name} has no style of the picture's own to begin from, so that no strength is less than the whole; leave"
            f" {setting('strength')} out."
        )
    if not styled:
        raise UserError(f"{setting('strength')} is how far to go towards a style; give {setting('style')} too.")
    if not 0 <= strength <= 1:  # NaN is neither
        raise UserError(
            f"{setting('strength')} is {strength}; give a number from 0, the picture's own style, to 1, the other's."
        )


def fitted(picture: Tensor, spec: ImageSpec) -> Tensor:
    """A picture [C, H, W] as large as a spec says, the whole height or width of its middle."""
    scale = max(spec.height / picture.shape[1], spec.width / picture.shape[2])
    height, width = (max(round(side * scale), least) for side, least in zip(picture.shape[1:], spec[:2], strict=True))
    large = resized(picture[None], height, width, spec.classes)[0]
    top, left = (height - spec.height) // 2, (width - spec.width) // 2
    return large[:, top : top + spec.height, left : left + spec.width]


def resized(images: Tensor, height: int, width: int, classes: int = 0) -> Tensor:
    """Images [N, C, H, W] in [-1, 1] of another size, smooth; label maps, which have `classes`, keep their values."""
    if images.shape[2:] == (height, width):
        return images
    if classes:
        return F.interpolate(images, (height, width), mode="nearest")
    return F.interpolate(images, (height, width), mode="bicubic", antialias=True).clamp(-1, 1)
