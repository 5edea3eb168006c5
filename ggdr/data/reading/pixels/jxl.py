"""The size that a JPEG XL file declares (ISO/IEC 18181-1, SizeHeader), since its plug-in decodes before it tells."""

from __future__ import annotations

from fractions import Fraction

from ggdr.errors import UserError

BARE = b"\xff\x0a"
"""how a codestream begins"""
BOXED = b"\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a"
"""how a codestream in boxes (ISO BMFF) begins"""
RATIOS = [Fraction(1), Fraction(6, 5), Fraction(4, 3), Fraction(3, 2), Fraction(16, 9), Fraction(5, 4), Fraction(2)]
"""ratios of width to height that the header may name"""


def is_jxl(data: bytes) -> bool:
    """Whether a file begins as one of JPEG XL, as its plug-in would see it."""
    return data.startswith(BARE) or data[4:7] == b"JXL"


def declared_size(data: bytes) -> tuple[int, int]:
    """Height and width, pixels; UserError if there is no whole header."""
    stream = data if data.startswith(BARE) else find_codestream(data)
    if not stream.startswith(BARE) or len(stream) < 12:
        raise UserError("its JPEG XL header cannot be read")
    bits = Bits(stream[2:14])
    small = bits.read(1)
    height = bits.read_size(small)
    ratio = bits.read(3)
    return height, int(height * RATIOS[ratio - 1]) if ratio else bits.read_size(small)


def find_codestream(data: bytes) -> bytes:
    """The beginning of the codestream in a file of boxes; nothing if there is none."""
    place = len(BOXED)
    while place + 8 <= len(data):
        size, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        head = 16 if size == 1 else 8
        if kind in (b"jxlc", b"jxlp"):
            first = place + head + 4 * (kind == b"jxlp")  # parts are numbered
            return data[first : first + 32]
        size = int.from_bytes(data[place + 8 : place + 16], "big") if size == 1 else size
        if size < head:
            break
        place += size
    return b""


class Bits:
    """Bits of a codestream, the lowest first."""

    def __init__(self, data: bytes):
        self.rest = int.from_bytes(data, "little")

    def read(self, count: int) -> int:
        """The next `count` bits as a number."""
        value, self.rest = self.rest & ((1 << count) - 1), self.rest >> count
        return value

    def read_size(self, small: int) -> int:
        """A height or width: of eights, or of one of four lengths."""
        if small:
            return 8 * (1 + self.read(5))
        return 1 + self.read((9, 13, 18, 30)[self.read(2)])
