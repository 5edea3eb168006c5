"""Files as they arrive damaged, or as someone made them who means harm; and what a reader may do with them."""

from __future__ import annotations

import io
import resource
import struct
import traceback
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import ggdr

PACKAGE = Path(ggdr.__file__).parent


def steady(examples: int) -> settings:
    """The same examples on every machine, however slow it is."""
    quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=quiet)


@st.composite
def damaged(draw, whole: bytes, head: int | None = None) -> bytes:
    """The file cut off, with bytes changed, taken out, put in or doubled; mostly among its first `head` bytes."""
    data, edge = bytearray(whole), min(head or len(whole), len(whole))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(min(edge, len(data)) - 1, 0)))
        some = draw(st.binary(min_size=1, max_size=8) | st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"]))
        match draw(st.sampled_from(["change", "change", "cut", "take", "put", "double", "end"])):
            case "change":
                data[place : place + len(some)] = some
            case "cut":
                del data[draw(st.integers(0, len(data))) :]
            case "take":
                del data[place : place + len(some)]
            case "put":
                data[place:place] = some
            case "double":
                data += data[place:]
            case "end":
                data[-len(some) :] = some
        if not data:
            break
    return bytes(data)


def files_like(whole: bytes, head: int | None = None) -> st.SearchStrategy[bytes]:
    """Mostly damaged files of that kind, now and then anything."""
    return st.one_of(damaged(whole, head), damaged(whole, head), st.binary(max_size=200))


def outcome(read: Callable[[], object]) -> object:
    """What a reader gives, or the error with which it refuses: one line, raised by the package, for its user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return read()
        except (ValueError, OSError) as error:
            last = traceback.extract_tb(error.__traceback__)[-1].filename
            assert isinstance(error, OSError) or Path(last).is_relative_to(PACKAGE), traceback.format_exc()
            text = str(error)
            assert text.isprintable() and len(text) < 1500, text
            return error


def peak_mb() -> float:
    """Most memory the process has held so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of some dozens of bytes whose header declares that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    image = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + image + chunk(b"IEND", b"")


def saved(image, kind: str, **options) -> bytes:
    """An image's file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def claiming(kind: str, side: int) -> bytes:
    """A small file of that kind whose header declares a square of that side, pixels."""
    from PIL import Image

    small = Image.new("RGB", (8, 8), (9, 9, 9))
    if kind == "PNG":
        return png_claiming(side, side)
    if kind == "PPM":
        return b"P6 %d %d 255\n" % (side, side) + b"\0" * 100
    if kind == "TIFF":
        return saved(small, kind).replace(struct.pack("<HHIHH", 256, 4, 1, 8, 0), struct.pack("<HHII", 256, 4, 1, side)
        ).replace(struct.pack("<HHIHH", 257, 4, 1, 8, 0), struct.pack("<HHII", 257, 4, 1, side))  # fmt: skip
    data, place, form = {
        "BMP": (saved(small, "BMP"), 18, "<ii"),
        "GIF": (saved(small, "GIF"), 6, "<HH"),
        "TGA": (saved(small, "TGA"), 12, "<HH"),
        "JPEG": (saved(small, "JPEG"), 0, ">HH"),
    }[kind]
    if kind == "JPEG":
        place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(form, side, side) + data[place + struct.calcsize(form) :]
