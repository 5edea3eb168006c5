"""What a pipeline hands over: pictures, arrays or tensors, and what they were made from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.latent.codes import Codes
from ggdr.sampling.grid import to_pil, to_uint8

OUTPUTS = ("pil", "np", "pt")


class GANOutput(NamedTuple):
    """What a pipeline hands over."""

    images: list[PIL.Image.Image] | np.ndarray | Tensor
    """images, as `output_type` asks"""
    seeds: list[int]
    """seed of each image, to make it again"""


class EditOutput(NamedTuple):
    """What an edit hands over."""

    images: list[PIL.Image.Image] | np.ndarray | Tensor
    """images, as `output_type` asks; all amounts of the first code, then those of the next"""
    codes: Codes
    """what they are made from"""


class ProjectionOutput(NamedTuple):
    """What a projection hands over."""

    images: list[PIL.Image.Image] | np.ndarray | Tensor
    """images, as `output_type` asks, as near to the given ones as was found"""
    codes: Codes
    """what they are made from; `codes.points` are the style codes [N, L, W], or the latent codes [N, D]"""
    distance: list[float]
    """distance of each to the given one, by the features that were compared"""


def check_output(output_type: str) -> None:
    """UserError if images cannot be handed over so."""
    if output_type not in OUTPUTS:
        raise UserError(f"output_type is {output_type!r}; give one of {', '.join(map(repr, OUTPUTS))}.")


def as_fraction(images: Tensor) -> Tensor:
    """Images about [-1, 1] in [0, 1]; NaN becomes 0."""
    return images.add(1).div(2).nan_to_num(nan=0.0).clamp(0, 1)


def handed(
    passes: Iterator[Tensor], output_type: str, continuous: bool = False
) -> list[PIL.Image.Image] | np.ndarray | Tensor:
    """Images [n, C, H, W] about [-1, 1] as `output_type` asks; NaN becomes black.

    `continuous`: they are no pixels but numbers, which stay as they are.
    """
    if output_type == "pil":
        return [image for images in passes for image in to_pil(to_uint8(images))]
    whole = torch.cat(list(passes) if continuous else [as_fraction(images) for images in passes])
    return whole if output_type == "pt" else whole.permute(0, 2, 3, 1).cpu().numpy()
