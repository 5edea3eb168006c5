"""Encoded images to uint8 arrays of one size and channel count: any mode, any depth, rotated as the camera meant."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image

from ggdr.data.reading.kinds import formats

MOST_PIXELS = 2**27
"""of an image; a header that declares more is believed to be a bomb"""
GRAY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
"""modes of Pillow without colour"""
DEEP = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
"""modes of Pillow with values from 0 to 65535"""
TOO_LARGE = f"its header declares more than {MOST_PIXELS:,} pixels"
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""channels -> mode of Pillow"""
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""orientation as cameras note it -> what turns the image upright"""


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


def opened(data: bytes) -> Image.Image:
    """The image by its header, nothing decoded yet; an exception of any kind if it is none, or too large to be one."""
    try:
        image = Image.open(io.BytesIO(data), formats=formats())
    except Image.DecompressionBombError:
        raise ValueError(TOO_LARGE) from None
    if image.width * image.height > MOST_PIXELS:
        raise ValueError(TOO_LARGE)
    return image


def orientation(image: Image.Image) -> int:
    """What the camera noted before the pixels, 1 to 8; 1, upright, where it noted nothing that can be read."""
    try:
        notes = Image.Image.getexif(image)  # PNG's own would decode the image, for notes that may come after it
        noted = notes.get(ExifTags.Base.Orientation)
    except Exception:  # broken notes may raise anything, and say nothing about the pixels
        return 1
    return noted if isinstance(noted, int) and noted in UPRIGHT else 1


def animated(data: bytes) -> bool:
    """Whether there are frames after the first, which is the one that is used; `data` is an image that can be read."""
    with opened(data) as image:
        try:
            image.seek(1)
        except Exception:  # a broken second frame may raise anything; none: EOFError
            return False
        return True


def look(data: bytes) -> Look:
    """Size and mode from the header alone; an exception of any kind if it is no image."""
    with opened(data) as image:
        width, height = image.size
        if orientation(image) >= 5:  # lies on its side
            width, height = height, width
        gray = image.mode in GRAY
        return Look(height, width, image.mode, 1 if gray else 4 if image.has_transparency_data else 3)


def pixels(data: bytes, frame: Frame) -> np.ndarray:
    """Decode, rotate, convert, crop and resize: uint8 [C, H, W]; an exception of any kind if it is no whole image."""
    with opened(data) as image:
        turn = UPRIGHT.get(orientation(image))
        upright = image if turn is None else image.transpose(turn)
        array = np.asarray(fit(convert(upright, frame.channels), frame))
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
    """Gray of 16 bits (0 to 65535) or of floats (0 to 1), rounded to 0 .. 255; ValueError if some are NaN."""
    scale = 255.0 if image.mode == "F" else 255 / 65535
    values = np.asarray(image).astype(np.float32) * scale
    if np.isnan(values).any():
        raise ValueError("some of its pixels are no numbers (NaN)")
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
