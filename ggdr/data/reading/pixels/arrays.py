"""Images that are arrays of numbers, of any depth and number of channels: .npy, .npz, and TIFF and PNG at full depth.

Nothing is read before the header has told how large it is, and the file has as many bytes as that takes.
"""

from __future__ import annotations

import io
import logging
import math
import zipfile
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from ggdr.data.reading.reader import check_size
from ggdr.errors import UserError
from ggdr.lazy import optional

if TYPE_CHECKING:
    import tifffile

MOST_VALUES = 2**27
"""most values of an array; a header that declares more is believed to be a bomb"""
MOST_EXPANSION = 4096
"""times that a compressed file may grow"""
NPY = b"\x93NUMPY"
NPZ = b"PK\x03\x04"
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
CHANNEL_AXES = ("CYX", "QYX", "YXC", "YXQ")
"""axes of pages that are channels, as tifffile names them; Q: the file does not say"""


logging.getLogger("tifffile").addHandler(logging.NullHandler())  # which complains aloud of each broken file


class EncodedArray(NamedTuple):
    """An image as an array whose values are not read yet."""

    height: int
    width: int
    channels: int
    dtype: np.dtype
    read: Callable[[], np.ndarray]
    """its values [H, W, C]; any exception if they are not whole"""
    orientation: int = 1
    """orientation as a camera notes it, 1 to 8"""
    frames: int = 1
    """images in the file, of which the first is read"""


def numpy_array(data: bytes) -> EncodedArray | None:
    """The array of a .npy or .npz file; None if it is neither, UserError if it is no image."""
    if data.startswith(NPY):
        return npy_array(io.BytesIO(data), len(data), lambda: data)
    if not data.startswith(NPZ):
        return None
    archive = zipfile.ZipFile(io.BytesIO(data))
    entries = [entry for entry in archive.infolist() if entry.filename.endswith(".npy")]
    if len(entries) != 1:
        raise UserError(f"an archive of {len(entries)} arrays, where one image is due")
    (entry,) = entries
    check_size(entry.file_size)
    return npy_array(archive.open(entry), entry.file_size, lambda: archive.open(entry).read(entry.file_size + 1))


def npy_array(stream: IO[bytes], size: int, read: Callable[[], bytes]) -> EncodedArray:
    """The array in a .npy file of a number of bytes; UserError if it is no image, or not as large as it says."""
    shape, fortran, dtype = npy_header(stream)
    start, count = stream.tell(), math.prod(shape)
    check_dtype(dtype, count)
    if count * dtype.itemsize != size - start:
        raise UserError(f"an array of {count * dtype.itemsize:,} bytes in a file that holds {size - start:,}")
    height, width, channels, axis = array_layout(shape)

    def values() -> np.ndarray:
        flat = np.frombuffer(read(), dtype, count, start)
        return to_channels_last(flat.reshape(shape, order="F" if fortran else "C"), axis)

    return EncodedArray(height, width, channels, dtype.newbyteorder("="), values)


def npy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether in Fortran's order, and kind of numbers of a .npy file, read up to its values.

    UserError if its version holds more than plain numbers.
    """
    version = np.lib.format.read_magic(stream)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise UserError(f"an array in version {version[0]} of .npy, which holds no plain numbers")
    return read(stream)


def check_dtype(dtype: np.dtype, count: int) -> None:
    """UserError unless it is an array of real numbers that is not too large."""
    if dtype.kind not in "buif" or dtype.itemsize > 8:
        raise UserError(f"an array of {dtype}, and only whole numbers and floats make an image")
    if count > MOST_VALUES:
        raise UserError(f"its header declares more than {MOST_VALUES:,} values")


def array_layout(shape: tuple[int, ...], axes: str = "") -> tuple[int, int, int, int | None]:
    """Height, width, channels of an array, and the axis of the channels, None without one; UserError if no image.

    That axis is where `axes`, as tifffile names them, say S, else the shorter of the first and the last, else the last.
    """
    if len(shape) == 2 and min(shape) > 0:
        return shape[0], shape[1], 1, None
    if len(shape) != 3 or min(shape) < 1:
        raise UserError(f"an array of shape {list(shape)}, where [H, W], [H, W, C] or [C, H, W] is due")
    first = axes.startswith("S") if "S" in axes else shape[0] < shape[2]
    height, width, channels = (*shape[1:], shape[0]) if first else shape
    return height, width, channels, 0 if first else 2


def to_channels_last(values: np.ndarray, axis: int | None) -> np.ndarray:
    """[H, W, C], in the byte order of this machine."""
    values = values[..., None] if axis is None else np.moveaxis(values, axis, -1)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def tiff_array(data: bytes) -> EncodedArray:
    """All channels of the first image of a TIFF at full depth; any exception if it is none, or not whole."""
    import tifffile

    file = tifffile.TiffFile(io.BytesIO(data), _multifile=False)
    page = file.pages.first
    series = channel_pages(file)
    shape, dtype, segments = (page.shape, page.dtype, page.databytecounts) if series is None else series
    if dtype is None:
        raise UserError("an array of no known kind of numbers")
    check_dtype(dtype, count := math.prod(shape))
    held = len(data) if page.compression == tifffile.COMPRESSION.NONE else MOST_EXPANSION * len(data)
    if count * dtype.itemsize > held or sum(segments) > len(data):
        raise UserError("its header declares more than the file can hold")
    height, width, channels, axis = array_layout(shape, page.axes if series is None else "")

    def values() -> np.ndarray:
        found = page.asarray(maxworkers=1) if series is None else file.series[0].asarray(maxworkers=1)
        return to_channels_last(found, axis)

    noted = page.tags.get("Orientation")
    frames = 1 if series is not None or len(file.pages) < 2 else 2
    return EncodedArray(height, width, channels, dtype.newbyteorder("="), values, noted.value if noted else 1, frames)


def channel_pages(file: tifffile.TiffFile) -> tuple[tuple[int, ...], np.dtype, list[int]] | None:
    """Shape, kind and bytes of the pages that are the channels of one image, where the file says that they are."""
    if not (file.is_shaped or file.is_imagej or file.is_ome):
        return None
    series = file.series[0]
    if len(series.pages) < 2 or series.dtype is None or "".join(series.axes) not in CHANNEL_AXES:
        return None
    return tuple(series.shape), series.dtype, [sum(page.databytecounts) for page in series.pages if page is not None]


def png_array(data: bytes) -> np.ndarray:
    """A colour PNG [H, W, 3 or 4] at its full 16 bits, of which Pillow keeps eight; any exception if it is broken."""
    with optional("files", "a colour PNG of 16 bits needs"):
        import av

    decoder = av.CodecContext.create("png", "r")
    frame = [*decoder.decode(av.Packet(data)), *decoder.decode(None)][0]
    return frame.reformat(format={"rgb48be": "rgb48le", "rgba64be": "rgba64le"}[frame.format.name]).to_ndarray()
