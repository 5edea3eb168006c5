"""Noise: the code of a translation, one for the whole picture, for each class in it, or for each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from ggdr.errors import UserError, setting
from ggdr.play.view import Way
from ggdr.sampling import seeded_latents
from ggdr.seeding import word

Noise = Literal["image", "segment", "pixel"]
"""for what one code is drawn: the picture, all pixels of a class of its label map, or each pixel"""
NOISES: tuple[Noise, ...] = ("image", "segment", "pixel")


def check_noise(noise: str, styled: bool, name: str, way: Way) -> None:
    """UserError if a way takes no codes of places, or no drawn ones; `styled`: its code is that of a style."""
    if noise not in NOISES:
        raise UserError(f"{setting('noise')} is {noise!r}; give 'image', 'segment' or 'pixel'.")
    if noise == "image":
        return
    if not way.place_codes:
        raise UserError(f"{name} takes one code for the whole picture, if any; leave {setting('noise')} out.")
    if styled:
        raise UserError(f"{name} takes its code from a style, so that none is drawn; leave {setting('noise')} out.")
    if noise == "segment" and not way.takes.classes:
        raise UserError(
            f"{name} takes pictures, which have no segments of classes; give 'image' or 'pixel' for {setting('noise')}."
        )


def draw_codes(noise: Noise, seeds: Sequence[int], way: Way, images: Tensor) -> Tensor:
    """A code for each of images [N, C, H, W], by its seed: [N, S], or [N, S, H, W] of places, on the host.

    The code of a class is the same wherever it is; pixels of no class have one more.
    """
    if noise == "image":
        return seeded_latents(seeds, way.draws)
    draws = [torch.Generator().manual_seed(word(seed)) for seed in seeds]
    if noise == "pixel":
        return torch.stack([torch.randn(way.draws, *images.shape[2:], generator=each) for each in draws])
    maps = images[:, : way.takes.classes].cpu()
    places = torch.where(maps.sum(dim=1) > 0, maps.argmax(dim=1), way.takes.classes)
    codes = [torch.randn(way.takes.classes + 1, way.draws, generator=each) for each in draws]
    return torch.stack([code[place].movedim(-1, 0) for code, place in zip(codes, places, strict=True)])
