"""The frame that all images of a data set are made to fit: their size, channels, and what is done to get there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageColor

from ggdr.errors import UserError, setting

REFLECT = "reflect"
"""the fill that mirrors an image at its edges"""


class Frame(NamedTuple):
    """What every image is made to fit."""

    height: int
    width: int
    channels: int
    crop: str = "centre"
    """"centre": cut to the frame's aspect ratio; "pad": add margins; "none": squeeze"""
    fill: str = "black"
    """filling of the margins: a colour, or "reflect": the image mirrored at its edges"""
    range: tuple[float, float] | None = None
    """values that become 0 and 255; None: those of the file's depth"""
    exact: bool = False
    """images of another size are refused, since nobody asked for one"""


def check_fill(fill: str) -> None:
    """UserError unless margins can be filled so."""
    try:
        fill == REFLECT or ImageColor.getrgb(fill)
    except ValueError:
        raise UserError(
            f"{setting('fill')} {fill!r} is no colour; give a name such as white, #rrggbb, or reflect for the"
            " mirrored image."
        ) from None


def fit_to_frame(image: Image.Image, frame: Frame) -> Image.Image:
    """Make an image fill the frame by cutting, padding or squeezing, with an antialiased Lanczos filter."""
    width, height = image.size
    if (width, height) == (frame.width, frame.height):
        return image
    if frame.crop == "pad":
        return pad_to_frame(image, frame)
    box = (0.0, 0.0, float(width), float(height))
    if frame.crop == "centre":
        scale = min(width / frame.width, height / frame.height)
        left, top = (width - frame.width * scale) / 2, (height - frame.height * scale) / 2
        box = (left, top, width - left, height - top)
    return image.resize((frame.width, frame.height), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)


def pad_to_frame(image: Image.Image, frame: Frame) -> Image.Image:
    """The whole image in the middle of the frame, with margins at two sides."""
    scale = min(frame.width / image.width, frame.height / image.height)
    width, height = max(round(image.width * scale), 1), max(round(image.height * scale), 1)
    whole = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    left, top = (frame.width - width) // 2, (frame.height - height) // 2
    if frame.fill == REFLECT:
        margins = [(top, frame.height - height - top), (left, frame.width - width - left), (0, 0)]
        array = np.asarray(whole)
        return Image.fromarray(np.pad(array, margins[: array.ndim], mode="reflect"))
    around = Image.new(whole.mode, (frame.width, frame.height), ImageColor.getcolor(frame.fill, whole.mode))
    around.paste(whole, (left, top))
    return around


def cropped_share(height: int, width: int, frame: Frame) -> float:
    """The share of an image of this size that the frame cuts away, 0 to 1."""
    if frame.crop != "centre":
        return 0.0
    ratio = (width * frame.height) / (height * frame.width)
    return 1 - min(ratio, 1 / ratio)
