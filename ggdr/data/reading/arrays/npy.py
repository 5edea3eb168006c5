"""Samples as NumPy saves them: a .npz or .npy file with all images in one array, as ADM's evaluation takes them."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

import numpy as np

from ggdr.data.reading.arrays.base import ArrayHeader, ArrayReader
from ggdr.data.reading.files.index import read_range
from ggdr.data.reading.pixels.arrays import MOST_EXPANSION, npy_header
from ggdr.data.reading.reader import Columns, failure_reason
from ggdr.errors import UserError

MOST_UNPACKED = 2**32
"""bytes of a compressed array, which is held in memory"""
LOCAL = struct.Struct("<26xHH")
"""header of an entry of a zip, before its data: lengths of its name and of what follows that"""


class ArrayPlace(NamedTuple):
    """Where an array's values begin."""

    start: int
    """byte of the file, or of the unpacked entry"""
    entry: str
    """the entry of the archive, if it must be unpacked; empty: it lies in the file as it is"""
    fortran: bool


class NumpyFile(ArrayReader):
    """The rows of an array in a .npz, where other arrays may be labels, or in a .npy."""

    kind = "array"
    form = "a .npz or .npy of images"

    @staticmethod
    def fits(source: str) -> bool:
        return source.lower().endswith((".npz", ".npy")) and os.path.isfile(source)

    def __init__(self, source: str, columns: Columns):
        self.source = source
        try:
            found = read_headers(Path(source))
        except Exception as error:  # an edited head may raise anything
            raise UserError(
                f"{source!r} is no readable .npz or .npy ({failure_reason(error)}); save it again."
            ) from error
        self.arrays = {name: shelf for name, (shelf, _) in found.items()}
        self.places = {name: place for name, (_, place) in found.items()}
        self.unpacked: dict[str, np.ndarray] = {}
        if has_statistics(self.arrays) and not any(array.is_images for array in self.arrays.values()):
            raise UserError(
                f"{source!r} holds the statistics of images (mu, sigma) and no images; they serve as the real images of"
                " fid: ggdr evaluate WHAT --metrics fid --data FILE."
            )
        self.select_array(columns)

    def read_row(self, item: int) -> bytes:
        place = self.places[self.column]
        if place.entry or place.fortran:
            return self.read_array(self.column)[item].tobytes()
        size = self.array.nbytes // len(self)
        return read_range(self.source, place.start + item * size, size)

    def read_array(self, name: str) -> np.ndarray:
        if name not in self.unpacked:
            self.unpacked[name] = load_array(Path(self.source), self.arrays[name], self.places[name])
        return self.unpacked[name]

    def __getstate__(self) -> dict:
        return self.__dict__ | {"unpacked": {}}


def has_statistics(names) -> bool:
    """Whether names of arrays are those of a mean and a covariance of features."""
    return any(mean in names and spread in names for mean, spread in (("mu", "sigma"), ("ref_mu", "ref_sigma")))


def read_headers(file: Path) -> dict[str, tuple[ArrayHeader, ArrayPlace]]:
    """The arrays in a file, by their headers; any exception if it is none. Arrays of objects are passed over."""
    size = os.stat(file).st_size
    if file.suffix.lower() == ".npy":
        with file.open("rb") as stream:
            return {"array": read_npy_header(stream, size, "")}
    with zipfile.ZipFile(file) as archive, file.open("rb") as stream:
        entries = [entry for entry in archive.infolist() if entry.filename.endswith(".npy")]
        found = {
            entry.filename.removesuffix(".npy"): read_zipped_header(archive, entry, stream, size) for entry in entries
        }
    return {name: array for name, array in found.items() if not array[0].dtype.hasobject}


def read_zipped_header(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: BinaryIO, size: int
) -> tuple[ArrayHeader, ArrayPlace]:
    """What an array in an archive says of itself; UserError if it is not as long as it says."""
    if entry.compress_type == zipfile.ZIP_STORED:
        file.seek(entry.header_offset)
        start = entry.header_offset + LOCAL.size + sum(LOCAL.unpack(file.read(LOCAL.size)))
        file.seek(start)
        return read_npy_header(file, min(start + entry.file_size, size), "")
    if entry.file_size > MOST_EXPANSION * entry.compress_size:
        raise UserError(f"its {entry.filename} declares {entry.file_size:,} bytes, more than it can hold")
    with archive.open(entry) as packed:
        return read_npy_header(packed, entry.file_size, entry.filename)


def read_npy_header(stream: IO[bytes], end: int, entry: str) -> tuple[ArrayHeader, ArrayPlace]:
    """What a .npy that ends at a byte of a file says of itself; UserError if it is not as long as it says."""
    shape, fortran, dtype = npy_header(stream)
    place, shelf = stream.tell(), ArrayHeader(shape, dtype)
    if not dtype.hasobject and place + shelf.nbytes > end:
        raise UserError(f"an array of {shelf.nbytes:,} bytes in a place that holds {end - place:,}")
    return shelf, ArrayPlace(place, entry, fortran)


def load_array(file: Path, shelf: ArrayHeader, place: ArrayPlace) -> np.ndarray:
    """All values of an array; UserError if that takes more memory than it should."""
    size = shelf.nbytes
    if size > MOST_UNPACKED:
        raise UserError(
            f"a packed array of {size:,} bytes, more than is held in memory; save it by np.savez, which packs nothing"
        )
    if place.entry:
        with zipfile.ZipFile(file) as archive, archive.open(place.entry) as stream:
            data = stream.read(place.start + size)[place.start :]
    else:
        with file.open("rb") as stream:
            stream.seek(place.start)
            data = stream.read(size)
    return np.frombuffer(data, shelf.dtype).reshape(shelf.shape, order="F" if place.fortran else "C")
