"""Files of deep images and of arrays, made where a test wants them."""

from __future__ import annotations

import io
from fractions import Fraction

import numpy as np
import tifffile
from PIL import Image


def png16(values: np.ndarray) -> bytes:
    """A PNG of 16 bits a channel, [H, W, 3 or 4]."""
    import av

    kind = "rgb48" if values.shape[2] == 3 else "rgba64"
    frame = av.VideoFrame.from_ndarray(values, format=f"{kind}le").reformat(format=f"{kind}be")
    encoder = av.CodecContext.create("png", "w")
    encoder.height, encoder.width, encoder.pix_fmt = *values.shape[:2], f"{kind}be"
    encoder.time_base = Fraction(1)
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def pillow(values: np.ndarray, kind: str) -> bytes:
    """As Pillow writes it."""
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind)
    return file.getvalue()


def npy(values: np.ndarray) -> bytes:
    """As NumPy writes it."""
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def npz(values: np.ndarray) -> bytes:
    """The same in an archive, deflated."""
    file = io.BytesIO()
    np.savez_compressed(file, image=values)
    return file.getvalue()


def tiff(values: np.ndarray, **options) -> bytes:
    """As tifffile writes it."""
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()
