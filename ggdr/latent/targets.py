"""Conversion of pictures of any kind and size to images that a generator could have made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from ggdr.data.reading.pixels.decode import MODES, convert_channels
from ggdr.data.reading.pixels.framing import Frame, fit_to_frame
from ggdr.errors import UserError
from ggdr.networks.base import ImageSpec
from ggdr.sampling.grid import to_pil

Picture = Image.Image | np.ndarray | Tensor
WANTED = (
    "give PIL images, arrays [N, H, W, C] or tensors [N, C, H, W] of 1, 3 or 4 channels, uint8 or float from 0 to 1"
)


def targets_of(images: Picture | Sequence[Picture], spec: ImageSpec) -> Tensor:
    """Convert pictures to images [N, C, H, W] float32 in [-1, 1] of the spec's channels and size, cropped about the
    centre.

    `images`: PIL images, arrays [H, W], [H, W, C] or [N, H, W, C], or tensors [C, H, W] or [N, C, H, W], uint8 or float
    from 0 to 1; one or a sequence. UserError if they are none of these, or the generator makes no pictures.
    """
    if spec.channels not in MODES:
        raise UserError(f"this generator makes images of {spec.channels} channels, which no picture has.")
    frame = Frame(spec.height, spec.width, spec.channels, crop="centre")
    given = [images] if isinstance(images, Picture) else list(images)
    pictures = [picture for each in given for picture in pictures_of(each)]
    if not pictures:
        raise UserError(f"there is no image to look for; {WANTED}.")
    fitted = [
        np.atleast_3d(np.asarray(fit_to_frame(convert_channels(picture, spec.channels), frame))) for picture in pictures
    ]
    return torch.from_numpy(np.stack(fitted)).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def pictures_of(images: Picture) -> list[Image.Image]:
    """Convert one PIL image, an array or a tensor to PIL images."""
    if isinstance(images, Image.Image):
        return [ImageOps.exif_transpose(images)]
    if isinstance(images, np.ndarray):
        images = torch.from_numpy(np.ascontiguousarray(images))
        images = images[..., None] if images.ndim == 2 else images
        images = images.movedim(-1, -3)
    if not isinstance(images, Tensor) or images.ndim not in (3, 4) or images.shape[-3] not in MODES:
        what = list(images.shape) if isinstance(images, Tensor) else type(images).__name__
        raise UserError(f"{what} is no image; {WANTED}.")
    images = images if images.ndim == 4 else images[None]
    if images.dtype != torch.uint8:
        if not images.is_floating_point() or not ((images >= 0) & (images <= 1)).all():
            raise UserError(f"an image holds values that are no colours; {WANTED}.")
        images = images.float().mul(255).round().to(torch.uint8)
    return to_pil(images)


def open_picture(file: Path) -> Image.Image:
    """Open the picture in a file; UserError if it is none."""
    try:
        image = Image.open(file)
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise UserError(f"{str(file)!r} is no image that can be read; give a PNG, JPEG or the like.") from error
    return image
