"""Tensors in files that torch wrote: inside a pickle, in the archives of `torch.save`, and in its older format."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from math import prod
from typing import Any

import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.foreign.instructions import SHORT
from ggdr.foreign.unpickle import Call, Global, load

DTYPES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
STORAGES = {Global("torch", name): dtype for name, dtype in DTYPES.items()}
"""Names of kinds of storage in a pickle."""
DTYPE_NAMES = frozenset(Global("torch", str(dtype).removeprefix("torch.")) for dtype in DTYPES.values())
"""Names of types of numbers, to which layers may refer."""
MAGIC = 0x1950A86A20F9469CFC6C
"""First value in files of `torch.save` before it wrote archives."""
MOST_DIMENSIONS = 8
BROKEN = (zipfile.BadZipFile, RuntimeError, struct.error, LookupError, OSError, EOFError, ValueError, OverflowError)
"""Errors that reading a damaged zip archive may raise."""


@dataclass(eq=False)
class Storage:
    """A piece of memory as the file holds it."""

    dtype: torch.dtype
    numel: int
    read: Callable[[], bytes | memoryview] | None = None
    """Function that returns its bytes, `numel` of its dtype; None until they are found."""


@dataclass(frozen=True, eq=False)
class Stored:
    """A tensor as the file holds it; no memory is taken before `tensor` is called."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def __repr__(self) -> str:
        return f"a tensor {list(self.shape)} of {self.storage.dtype}"

    @property
    def nbytes(self) -> int:
        """Return the number of bytes of its values in the file."""
        return prod(self.shape) * self.storage.dtype.itemsize

    def tensor(self) -> Tensor:
        """Copy the values into new memory, of `shape`, in float32; UserError if they cannot be."""
        dtype, read = self.storage.dtype, self.storage.read
        if read is None or not dtype.is_floating_point:
            raise UserError(f"it holds {self!r} where there should be one of float32")
        if not prod(self.shape):
            return torch.zeros(self.shape)
        first, last = self.offset, self.offset + extent(self.shape, self.stride) + 1
        values = bytearray(read()[first * dtype.itemsize : last * dtype.itemsize])
        return torch.frombuffer(values, dtype=dtype).as_strided(self.shape, self.stride).float().contiguous()


def extent(shape: tuple[int, ...], stride: tuple[int, ...]) -> int:
    """Return how far the last element of a tensor lies behind its first, in elements."""
    return sum((size - 1) * step for size, step in zip(shape, stride, strict=True))


def rebuild_tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> Stored:
    """Return a tensor over a storage; UserError if it would go beyond it, or use an element twice."""
    numbers = (offset, *shape, *stride)
    fits = isinstance(storage, Storage) and type(shape) is tuple and type(stride) is tuple
    fits = fits and all(type(number) is int and 0 <= number <= storage.numel for number in numbers)
    fits = fits and len(shape) == len(stride) <= MOST_DIMENSIONS
    if not fits or prod(shape) and offset + extent(shape, stride) >= storage.numel or overlaps(shape, stride):
        raise UserError("it is damaged: a tensor reaches beyond the numbers that are there for it")
    return Stored(storage, offset, shape, stride)


def overlaps(shape: tuple[int, ...], stride: tuple[int, ...]) -> bool:
    """Whether some element may have two places in the tensor."""
    covered = 0
    for step, size in sorted((step, size) for step, size in zip(stride, shape, strict=True) if size > 1):
        if step <= covered:
            return True
        covered += (size - 1) * step
    return False


def rebuild_parameter(data: Any, *_: Any) -> Any:
    """Return the tensor of a parameter."""
    return data


def load_from_bytes(data: Any) -> Storage:
    """Return the storage in the bytes by which a pickle outside of `torch.save` holds it."""
    if type(data) is not bytes or not isinstance(storage := read_stream(data, {}), Storage):
        raise UserError("it is damaged: a tensor has no numbers")
    return storage


TENSORS: Mapping[Global, Call] = {
    Global("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
    Global("torch._utils", "_rebuild_parameter"): rebuild_parameter,
    Global("torch._utils", "_rebuild_parameter_with_state"): rebuild_parameter,
}
"""Functions that a pickle calls to make tensors of storages."""
IN_PICKLES: Mapping[Global, Call] = {**TENSORS, Global("torch.storage", "_load_from_bytes"): load_from_bytes}
"""Functions for pickles that hold the storages as well."""


def open_archive(data: bytes) -> zipfile.ZipFile:
    """Open a zip archive; UserError if the data is none, or damaged."""
    try:
        return zipfile.ZipFile(BytesIO(data))
    except BROKEN as error:
        raise UserError(f"it is damaged: {error}; {SHORT}") from error


def pickle_of(archive: zipfile.ZipFile) -> str | None:
    """Return the name of the pickle in an archive that `torch.save` wrote; None if it is none."""
    pickles = [name for name in archive.namelist() if name.endswith("/data.pkl") and name.count("/") == 1]
    program = any("/code/" in name for name in archive.namelist())  # TorchScript keeps its data under the same name
    return pickles[0] if len(pickles) == 1 and not program else None


def read_archive(archive: zipfile.ZipFile, name: str, calls: Mapping[Global, Call]) -> Any:
    """Read a zip archive that `torch.save` wrote, whose pickle has this name; UserError if it is damaged."""
    names = {*archive.namelist()}
    folder = name.removesuffix("data.pkl")
    if f"{folder}byteorder" in names and read_member(archive, f"{folder}byteorder") != b"little":
        raise UserError("it was written by a machine of the other byte order")

    def persistent(said: Any) -> Storage:
        """The storage whose bytes are one file in the archive; read when a tensor needs them."""
        dtype, key, numel = parse_storage(said)
        file = f"{folder}data/{key}"
        if file not in names or archive.getinfo(file).file_size != numel * dtype.itemsize:
            raise UserError("it is damaged: the numbers of a tensor are missing")
        return Storage(dtype, numel, lambda: read_member(archive, file))

    return load(BytesIO(read_member(archive, name)), {**TENSORS, **calls}, {*STORAGES, *DTYPE_NAMES}, persistent)


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read a file of an archive, which must be neither compressed nor encrypted, so that its size is bounded."""
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.file_size != info.compress_size:
        raise UserError("it is compressed or encrypted, which torch.save never does")
    try:
        return archive.read(name)
    except BROKEN as error:
        raise UserError(f"it is damaged: {error}") from error


def read_stream(data: bytes, calls: Mapping[Global, Call]) -> Any:
    """Read what `torch.save` wrote before torch 1.6, and still writes inside pickles: five pickles, then the
    storages."""
    stream = BytesIO(data)
    magic, version, machine = (load(stream) for _ in range(3))
    if magic != MAGIC or version != 1001 or not isinstance(machine, dict) or not machine.get("little_endian"):
        raise UserError("it is not what torch.save writes on a machine of this byte order")
    storages: dict[str, Storage] = {}

    def persistent(said: Any) -> Storage:
        """The storage whose bytes follow; the first mention of a key makes it."""
        dtype, key, numel = parse_storage(said)
        storage = storages.setdefault(key, Storage(dtype, numel))
        if (storage.dtype, storage.numel) != (dtype, numel):
            raise UserError("it is damaged: it says two things of one storage")
        return storage

    value = load(stream, {**TENSORS, **calls} if calls else {}, STORAGES, persistent)
    keys = load(stream)
    if type(keys) is not list or not all(type(key) is str for key in keys) or {*keys} != {*storages}:
        raise UserError("it is damaged: the numbers of a tensor are missing")
    for key in keys:
        fill(storages[key], stream, data)
    return value


def fill(storage: Storage, stream: BytesIO, data: bytes) -> None:
    """Find a storage's bytes in the data at the stream's position, and move behind them."""
    start = stream.seek(8, 1)
    end = start + storage.numel * storage.dtype.itemsize
    if int.from_bytes(data[start - 8 : start], "little") != storage.numel or end > len(data):
        raise UserError(f"it is damaged: it ends within the numbers of a tensor; {SHORT}")
    stream.seek(end)
    storage.read = lambda: memoryview(data)[start:end]


def parse_storage(said: Any) -> tuple[torch.dtype, str, int]:
    """Return dtype, key and length of the storage that a pickle refers to; UserError if it is no such reference."""
    # (what, kind, key, device, length), and in old files a view, which no checkpoint has used
    if type(said) is tuple and len(said) in (5, 6) and said[0] == "storage" and not any(said[5:]):
        _, kind, key, _, numel = said[:5]
        if isinstance(kind, Global) and kind in STORAGES and type(key) is str and type(numel) is int and numel >= 0:
            return STORAGES[kind], key, numel
    raise UserError("it is damaged: it refers to something that is no storage of a tensor")
