"""Encoded images to uint8 arrays of one size and channel count: any mode, any depth, rotated as the camera meant."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import Base
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from ggdr.data.reading.file_types import decodable_formats
from ggdr.data.reading.pixels.arrays import TIFF, EncodedArray, numpy_array, png_array, tiff_array
from ggdr.data.reading.pixels.depth import Range, to_bytes
from ggdr.data.reading.pixels.framing import Frame, fit_to_frame
from ggdr.data.reading.pixels.jxl import declared_size, is_jxl
from ggdr.data.reading.pixels.profiles import describe_profile, to_srgb
from ggdr.errors import UserError
from ggdr.lazy import available

MOST_PIXELS = 2**27
"""most pixels of an image; a header that declares more is believed to be a bomb"""
GRAY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
"""modes of Pillow without colour"""
NUMBERS = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
"""modes of Pillow whose values are deeper than eight bits"""
STACK = re.compile(r'^\{"shape"|^ImageJ=|<OME')
"""how a description begins that tells which pages are channels"""
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


class ImageInfo(NamedTuple):
    """What an image is before anything is done to it."""

    height: int
    """pixels, after the rotation its camera noted"""
    width: int
    mode: str
    """Pillow's name of its mode, or the kind of an array's numbers"""
    channels: int
    """1 gray, 3 colour, 4 colour with transparency; of an array, all"""
    deep: bool = False
    """its values are not those of eight bits"""
    profile: str = ""
    """the colour profile from which it is converted to sRGB, "broken" if it cannot be read; empty: none is needed"""


def open_image(data: bytes) -> ImageFile:
    """The image by its header, nothing decoded yet; an exception of any kind if it is none, or too large to be one."""
    if is_jxl(data) and math.prod(declared_size(data)) > MOST_PIXELS:
        raise UserError(TOO_LARGE)
    try:
        image = Image.open(io.BytesIO(data), formats=decodable_formats())
    except Image.DecompressionBombError:
        raise UserError(TOO_LARGE) from None
    except UnidentifiedImageError as error:  # Pillow names an object of Python
        raise UnidentifiedImageError("it is in none of the formats of images" if data else "it is empty") from error
    if image.width * image.height > MOST_PIXELS:
        raise UserError(TOO_LARGE)
    return image


def open_image_or_array(data: bytes) -> ImageFile | EncodedArray:
    """The image as Pillow opens it, or as an array where Pillow knows nothing of it, or not of all its channels."""
    if (array := numpy_array(data)) is not None:
        return array
    try:
        image = open_image(data)
    except UnidentifiedImageError:
        if data.startswith(TIFF):
            return tiff_array(data)
        raise
    if not isinstance(image, TiffImageFile):
        return image
    bands = len(image.getbands())
    if image.tag_v2.get(Base.SamplesPerPixel, 1) <= bands and not STACK.search(
        str(image.tag_v2.get(Base.ImageDescription, ""))
    ):
        return image
    array = tiff_array(data)
    return array if array.channels > bands else image


def camera_orientation(image: Image.Image) -> int:
    """What the camera noted before the pixels, 1 to 8; 1, upright, where it noted nothing that can be read."""
    try:
        notes = Image.Image.getexif(image)  # PNG's own would decode the image, for notes that may come after it
        noted = notes.get(Base.Orientation)
    except Exception:  # broken notes may raise anything, and say nothing about the pixels
        return 1
    return noted if isinstance(noted, int) and noted in UPRIGHT else 1


def is_animated(data: bytes) -> bool:
    """Whether there are frames after the first, which is the one that is used; `data` is an image that can be read."""
    image = open_image_or_array(data)
    if isinstance(image, EncodedArray):
        return image.frames > 1
    with image:
        try:
            image.seek(1)
        except Exception:  # a broken second frame may raise anything; none: EOFError
            return False
        return True


def image_info(data: bytes) -> ImageInfo:
    """Size and mode from the header alone; an exception of any kind if it is no image."""
    image = open_image_or_array(data)
    if isinstance(image, EncodedArray):
        height, width = (image.width, image.height) if image.orientation >= 5 else (image.height, image.width)
        return ImageInfo(height, width, str(image.dtype), image.channels, image.dtype not in (np.uint8, np.bool_))
    with image:
        width, height = image.size
        if isinstance(image, TiffImageFile):  # where some versions of Pillow have turned the size already
            width, height = image.tag_v2[Base.ImageWidth], image.tag_v2[Base.ImageLength]
        if camera_orientation(image) >= 5:  # lies on its side
            width, height = height, width
        gray, deep = image.mode in GRAY, image.mode in NUMBERS or is_deep_colour(image)
        channels = 1 if gray else 4 if image.has_transparency_data else 3
        mode = f"{image.mode} of 16 bits" if is_deep_colour(image) else image.mode
        if is_deep_colour(image) and image.format == "PNG":
            available("files", "a colour PNG of 16 bits needs", "av")
        return ImageInfo(height, width, mode, channels, deep, "" if deep else describe_profile(image))


def is_deep_colour(image: ImageFile) -> bool:
    """Whether Pillow, which has no such mode, would drop the lower half of 16 bits a channel."""
    if image.mode not in ("RGB", "RGBA") or image.format not in ("PNG", "TIFF") or not image.tile:
        return False
    raw = image.tile[0][3]
    return ";16" in str(raw[0] if isinstance(raw, tuple) else raw)


def read_values(data: bytes) -> np.ndarray:
    """The values of an image before they become 8 bits, [H, W, C] or [H, W]; an exception of any kind if it is none."""
    image = open_image_or_array(data)
    if isinstance(image, EncodedArray):
        return image.read()
    with image:
        return read_full_depth(image, data) if is_deep_colour(image) else np.asarray(expand_palette(image))


def expand_palette(image: Image.Image) -> Image.Image:
    """Palettes, and spaces that measure no light, as the colours they stand for."""
    if image.mode in ("1", "L", "LA", "RGB", "RGBA") or image.mode in NUMBERS:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def read_full_depth(image: ImageFile, data: bytes) -> np.ndarray:
    """All 16 bits of an image of `is_deep_colour`, [H, W, 3 or 4]."""
    return png_array(data) if image.format == "PNG" else tiff_array(data).read()


def decode_image(data: bytes, frame: Frame) -> np.ndarray:
    """Decode, rotate, convert, crop and resize: uint8 [C, H, W]; an exception of any kind if it is no whole image."""
    return fit_bands(decode_bands(data, frame), frame)


def decode_halves(data: bytes, frames: Sequence[Frame]) -> list[np.ndarray]:
    """A picture of two side by side as `decode_image` has them: the left half, then the right one, each in its frame.

    The frames have the same channels.
    """
    bands = decode_bands(data, frames[0])
    width, height = bands[0].size
    if width % 2:
        raise UserError(f"it is {width} pixels wide; two pictures side by side have an even width")
    boxes = ((0, 0, width // 2, height), (width // 2, 0, width, height))
    return [fit_bands([band.crop(box) for band in bands], frame) for box, frame in zip(boxes, frames, strict=True)]


def decode_bands(data: bytes, frame: Frame) -> list[Image.Image]:
    """Decode, rotate and convert: images of one size that hold the frame's channels together; exceptions as above."""
    image = open_image_or_array(data)
    if isinstance(image, EncodedArray) and image.channels != frame.channels in MODES and data.startswith(TIFF):
        image = open_image(data)  # the colours among more channels
    if isinstance(image, EncodedArray):
        return array_bands(image, frame)
    with image:
        if frame.channels not in MODES:
            raise channels_error(len(image.getbands()), frame)
        if frame.range and is_deep_colour(image):
            deep = Image.fromarray(scale_colours(read_full_depth(image, data), frame.range))
            return [convert_channels(rotate_upright(deep, camera_orientation(image)), frame.channels)]
        image.load()  # which turns a TIFF upright, and says so
        return [convert_channels(rotate_upright(image, camera_orientation(image)), frame.channels, frame.range)]


def array_bands(array: EncodedArray, frame: Frame) -> list[Image.Image]:
    """Convert an array: each channel by itself, so that none is taken for transparency."""
    if array.channels != frame.channels and (array.channels not in (1, 3) or frame.channels not in MODES):
        raise channels_error(array.channels, frame)
    scaled = to_bytes(array.read(), frame.range)
    if array.channels == frame.channels:
        bands = [Image.fromarray(np.ascontiguousarray(band)) for band in np.moveaxis(scaled, -1, 0)]
    else:
        bands = [
            convert_channels(Image.fromarray(scaled.squeeze(2) if array.channels == 1 else scaled), frame.channels)
        ]
    return [rotate_upright(band, array.orientation) for band in bands]


def channels_error(channels: int, frame: Frame) -> UserError:
    """What is said of an image whose channels cannot become those of the frame."""
    there = f"{channels} channel{'s' * (channels > 1)}"
    return UserError(f"it has {there}, not {frame.channels}; type --data.channels {channels}")


def rotate_upright(image: Image.Image, orientation: int) -> Image.Image:
    """An image turned as its camera meant."""
    turn = UPRIGHT.get(orientation)
    return image if turn is None else image.transpose(turn)


def fit_bands(bands: list[Image.Image], frame: Frame) -> np.ndarray:
    """Images of one size that fill the frame, one above the other: uint8 [C, H, W]."""
    width, height = bands[0].size
    if frame.exact and (height, width) != (frame.height, frame.width):
        raise UserError(f"it is {height}x{width}, the others {frame.height}x{frame.width}; type --data.size H W")
    array = np.concatenate([np.atleast_3d(np.asarray(fit_to_frame(band, frame))) for band in bands], axis=2)
    return np.ascontiguousarray(array.transpose(2, 0, 1))


def convert_channels(image: Image.Image, channels: int, chosen: Range | None = None) -> Image.Image:
    """Convert to gray, RGB or RGBA of 8 bits in sRGB; what is transparent lies on white where that is dropped.

    `chosen`: the values that become 0 and 255; None: those of the image's depth.
    """
    if image.mode in NUMBERS:
        image = Image.fromarray(to_bytes(np.asarray(image), chosen))
    else:
        image = to_srgb(image)
        if chosen:
            image = Image.fromarray(scale_colours(np.asarray(expand_palette(image)), chosen))
    if channels < 4 and image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image if image.mode == MODES[channels] else image.convert(MODES[channels])


def scale_colours(colours: np.ndarray, chosen: Range) -> np.ndarray:
    """Values of colours as 8 bits; those of transparency keep their meaning."""
    if colours.ndim == 2 or colours.shape[2] == 3:
        return to_bytes(colours, chosen)
    return np.concatenate([to_bytes(colours[..., :-1], chosen), to_bytes(colours[..., -1:], None)], axis=2)
