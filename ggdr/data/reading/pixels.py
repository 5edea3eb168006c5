"""Encoded images to uint8 arrays of one size and channel count: any mode, any depth, rotated as the camera meant."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageOps

GRAY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
"""modes of Pillow without colour"""
DEEP = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
"""modes of Pillow with values from 0 to 65535"""
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""channels -> mode of Pillow"""


class Look(NamedTuple):
    """What an image is before anything is done to it."""

    height: int
    """pixels, after the rotation its camera noted"""
    width: int
    mode: str
    """Pillow's name of its mode"""
    channels: int
    """1 gray, 3 colour, 4 colour with transparency"""


class Frame(NamedTuple):
    """What every image is made to fit."""

    height: int
    width: int
    channels: int
    """1, 3 or 4"""
    crop: bool
    """cut to the frame's aspect ratio about the centre; otherwise the image is squeezed"""


def look(data: bytes) -> Look:
    """Size and mode from the header alone; an exception of any kind if it is no image."""
    with Image.open(io.BytesIO(data)) as image:
        width, height = image.size
        if image.getexif().get(ExifTags.Base.Orientation, 1) >= 5:  # lies on its side
            width, height = height, width
        gray = image.mode in GRAY
        return Look(height, width, image.mode, 1 if gray else 4 if image.has_transparency_data else 3)


def pixels(data: bytes, frame: Frame) -> np.ndarray:
    """Decode, rotate, convert, crop and resize: uint8 [C, H, W]; an exception of any kind if it is no whole image."""
    with Image.open(io.BytesIO(data)) as image:
        ImageOps.exif_transpose(image, in_place=True)
        array = np.asarray(fit(convert(image, frame.channels), frame))
    return np.ascontiguousarray(np.atleast_3d(array).transpose(2, 0, 1))


def convert(image: Image.Image, channels: int) -> Image.Image:
    """To gray, RGB or RGBA of 8 bits; what is transparent lies on white where the transparency is dropped."""
    if image.mode in DEEP or image.mode == "F":
        image = to_8_bits(image)
    if channels < 4 and image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image if image.mode == MODES[channels] else image.convert(MODES[channels])


def to_8_bits(image: Image.Image) -> Image.Image:
    """Gray of 16 bits (0 to 65535) or of floats (0 to 1), rounded to 0 .. 255."""
    scale = 255.0 if image.mode == "F" else 255 / 65535
    values = np.asarray(image).astype(np.float32) * scale
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def fit(image: Image.Image, frame: Frame) -> Image.Image:
    """Crop about the centre to the frame's aspect ratio, then resize with an antialiased Lanczos filter."""
    width, height = image.size
    if (width, height) == (frame.width, frame.height):
        return image
    box = (0.0, 0.0, float(width), float(height))
    if frame.crop:
        scale = min(width / frame.width, height / frame.height)
        left, top = (width - frame.width * scale) / 2, (height - frame.height * scale) / 2
        box = (left, top, width - left, height - top)
    return image.resize((frame.width, frame.height), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
