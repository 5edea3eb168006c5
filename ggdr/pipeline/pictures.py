"""Pictures as a translator takes them: of any size, with the channels of its source; label maps with their classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from ggdr.data.reading.pixels.decode import MODES, convert_channels, decode_bands
from ggdr.data.reading.pixels.framing import Frame
from ggdr.data.reading.pixels.label_maps import Classes, decode_numbers
from ggdr.documents import one_line, suggest_similar
from ggdr.errors import UserError
from ggdr.latent.targets import pictures_of
from ggdr.networks.base import ImageSpec
from ggdr.ops.pixels import network_input
from ggdr.sampling.grid import picture, to_pil

Shown = str | Path | Image.Image | np.ndarray | Tensor
"""a file, a picture of PIL, an array [H, W], [H, W, C] or [N, H, W, C], a tensor [C, H, W] or [N, C, H, W]"""
WANTED = "give paths, PIL images, arrays [H, W, C] or tensors [C, H, W], uint8 or float from 0 to 1"


def inputs_of(images: Shown | Sequence[Shown], spec: ImageSpec) -> list[Tensor]:
    """What a network sees of each picture, [C, H, W] float32: in [-1, 1], or the classes of a label map, one-hot.

    Modes are converted as data sets do: gray, RGB or RGBA, upright, in sRGB. UserError if one is no picture.
    """
    given = [images] if isinstance(images, Shown) else images
    if not isinstance(given, Sequence) or not len(given):
        raise UserError(f"{one_line(repr(given), 40)} is no image; {WANTED}.")
    if spec.classes and spec.channels > spec.classes:
        raise UserError(
            f"this model takes label maps of {spec.classes} classes with {spec.channels - spec.classes} further maps,"
            " such as the edges of instances, and a picture holds the classes alone."
        )
    seen = [each for image in given for each in (map_of(image, spec) if spec.classes else pixels_of(image, spec))]
    return [network_input(each[None], spec.classes)[0] if each.dtype == torch.uint8 else each for each in seen]


def as_shown(image: Shown, spec: ImageSpec) -> Image.Image:
    """A picture as the network is shown it; label maps in a colour for each class. UserError if it is no picture."""
    return to_pil(picture(inputs_of(image, spec)[0][None], spec.classes))[0]


def pixels_of(image: Shown, spec: ImageSpec) -> list[Tensor]:
    """The images [C, H, W] of a picture or of several: uint8, or float in [-1, 1]."""
    if isinstance(image, str | Path):
        bands = read(Path(image), lambda data: decode_bands(data, Frame(0, 0, spec.channels)))
        return [stacked(bands)]
    if isinstance(image, Tensor | np.ndarray):
        tensor = tensor_of(image)
        if tensor.shape[1] == spec.channels:
            return [*(tensor if tensor.dtype == torch.uint8 else tensor * 2 - 1)]
        image = tensor
    if spec.channels not in MODES:
        raise UserError(f"this model takes images of {spec.channels} channels, which no picture has: give tensors.")
    return [stacked([convert_channels(picture, spec.channels)]) for picture in pictures_of(image)]


def map_of(image: Shown, spec: ImageSpec) -> list[Tensor]:
    """The class numbers uint8 [1, H, W] of a label map or of several."""
    if isinstance(image, str | Path):
        maps = [read(Path(image), decode_numbers)]
    elif isinstance(image, Image.Image):
        upright = ImageOps.exif_transpose(image)
        maps = [np.asarray(upright if upright.mode in ("L", "P", "I", "I;16", "1") else upright.convert("L"))]
    else:
        numbers = torch.as_tensor(image)
        if numbers.is_floating_point() or numbers.ndim == 4 and numbers.shape[1] != 1 or numbers.ndim not in (2, 3, 4):
            raise UserError(f"{list(numbers.shape)} is no label map; give whole numbers [H, W] or [N, 1, H, W].")
        maps = [*numbers.reshape(-1, *numbers.shape[-2:]).cpu().numpy()]
    classes = Classes(spec.classes)
    name = str(image) if isinstance(image, str | Path) else "given"
    return [torch.from_numpy(classes(each.astype(np.int64), name))[None] for each in maps]


def tensor_of(image: Tensor | np.ndarray) -> Tensor:
    """Images [N, C, H, W], uint8 or float32 in [0, 1]; UserError if they are none."""
    tensor = torch.from_numpy(np.ascontiguousarray(image)) if isinstance(image, np.ndarray) else image
    if isinstance(image, np.ndarray):
        tensor = (tensor[..., None] if tensor.ndim == 2 else tensor).movedim(-1, -3)
    tensor = tensor[None] if tensor.ndim == 3 else tensor
    if tensor.ndim != 4 or not tensor.numel():
        raise UserError(f"{list(image.shape)} is no image; {WANTED}.")
    if tensor.dtype == torch.uint8:
        return tensor
    if not tensor.is_floating_point() or not ((tensor >= 0) & (tensor <= 1)).all():
        raise UserError(f"an image holds values that are no colours; {WANTED}.")
    return tensor.float()


def stacked(bands: Sequence[Image.Image]) -> Tensor:
    """Images of one size as one, uint8 [C, H, W]."""
    array = np.concatenate([np.atleast_3d(np.asarray(band)) for band in bands], axis=2)
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def read(file: Path, decode):
    """What `decode` makes of a file's bytes; UserError if it cannot."""
    if file.is_dir():
        raise UserError(f"{str(file)!r} is a folder; give its pictures, or type: ggdr translate MODEL {file}.")
    if not file.expanduser().exists():
        raise UserError(f"there is no file {str(file)!r}{suggest_similar(file)}; give one that is there.")
    try:
        return decode(file.expanduser().read_bytes())
    except Exception as error:  # what a broken image raises depends on its format
        raise UserError(f"{str(file)!r} is no picture that can be read: {one_line(error).rstrip('.')}.") from error
