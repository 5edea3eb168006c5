"""HDF5 files: arrays of images, or of encoded images, with arrays of labels beside them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np

from ggdr.data.reading.arrays.base import NUMBERS, WORDS, ArrayHeader, ArrayReader
from ggdr.data.reading.pixels.arrays import MOST_EXPANSION
from ggdr.data.reading.reader import Columns, check_size, failure_reason
from ggdr.documents import one_line
from ggdr.errors import UserError
from ggdr.lazy import available

if TYPE_CHECKING:
    import h5py

ENDINGS = (".h5", ".hdf5", ".hdf")
MOST_ARRAYS = 10_000
"""bytes of a file, before the rest is passed over"""
TIMEOUT_SEC = 60
"""seconds in which a file must show its arrays"""


class HDF5File(ArrayReader):
    """The rows of an array in an HDF5 file, by its path in the file."""

    kind = "HDF5"
    form = "a .h5"

    @staticmethod
    def fits(source: str) -> bool:
        return source.lower().endswith(ENDINGS) and os.path.isfile(source)

    def __init__(self, source: str, columns: Columns):
        self.source = source
        self._file: h5py.File | None = None
        self._process = 0
        available("sources", f"{source!r} needs", "h5py")
        self.arrays = list_arrays_safely(source)
        self.select_array(columns)

    def read_row(self, item: int) -> bytes:
        return np.ascontiguousarray(self._open()[self.column][item]).tobytes()

    def read_array(self, name: str) -> np.ndarray:
        check_size(self.arrays[name].nbytes)
        return self._open()[name][()]

    def _open(self) -> h5py.File:
        """The file, opened by each process for itself."""
        import h5py

        if self._file is None or self._process != os.getpid():
            self._file, self._process = h5py.File(self.source, "r", locking=False), os.getpid()
        return self._file

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_file": None}


def list_arrays_safely(source: str) -> dict[str, ArrayHeader]:
    """The arrays in a file; UserError if it cannot be read.

    Another process looks first: HDF5's library may end one that reads a damaged file.
    """
    command = [sys.executable, "-m", __name__, os.path.abspath(source)]
    try:
        process = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SEC, encoding="utf-8", errors="replace"
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"{source!r} does not show its arrays in {TIMEOUT_SEC} s; copy or write it again.") from None
    if process.returncode:
        why = one_line(
            process.stderr.strip().rpartition("\n")[2] if process.returncode > 0 else "it ends its own library"
        )
        raise UserError(f"{source!r} is no readable HDF5 file ({why}); copy or write it again.")
    found = json.loads(process.stdout)
    return {
        name: ArrayHeader(tuple(shape), np.dtype(dtype), encoded) for name, (shape, dtype, encoded) in found.items()
    }


def inspect_file(source: str) -> dict[str, tuple[list[int], str, bool]]:
    """Shape, kind of number, and whether they are encoded images, of a file's arrays; any exception if it is broken.

    Arrays whose values lie in other files are passed over: a file that was downloaded has no say in what is opened.
    """
    import h5py

    found: dict[str, tuple[list[int], str, bool]] = {}

    def visit(name: str, node: h5py.Dataset | h5py.Group) -> None:
        """Enter a data set that may hold images or labels; what lies in other files is left out."""
        if not isinstance(node, h5py.Dataset) or node.shape is None or node.external or node.is_virtual:
            return
        check_array(node, os.path.getsize(source))
        encoded = h5py.check_vlen_dtype(node.dtype) == np.uint8
        shelf = ArrayHeader(node.shape, node.dtype, encoded)
        if shelf.is_images and len(node):
            node[0], node[-1]  # noqa: B018 - what is broken shows here
        if node.dtype.kind in NUMBERS + WORDS and len(found) < MOST_ARRAYS:
            found[name] = [*node.shape], node.dtype.str, encoded

    with h5py.File(source, "r", locking=False) as file:
        file.visititems(visit)
    return found


def check_array(node: h5py.Dataset, size: int) -> None:
    """UserError if an array declares more values than a file of this size can hold, or parts too large to unpack."""
    declared = int(np.prod(node.shape, dtype=object)) * node.dtype.itemsize
    if declared > MOST_EXPANSION * size:
        raise UserError(f"its {node.name} declares {declared:,} bytes, more than it can hold")
    if node.chunks:
        check_size(int(np.prod(node.chunks, dtype=object)) * node.dtype.itemsize)


if __name__ == "__main__":
    try:
        print(json.dumps(inspect_file(sys.argv[1])))
    except Exception as error:  # a broken file may raise anything
        sys.exit(failure_reason(error))
