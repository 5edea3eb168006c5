"""Colour profiles made by hand (ICC.1:2004): of a display by its primaries, of gray by its gamma, of ink by a table."""

from __future__ import annotations

import itertools
import struct

import numpy as np

P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
"""chromaticities of Display P3's red, green and blue (SMPTE EG 432-1)"""
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
"""of sRGB's (IEC 61966-2-1)"""
D65 = (0.3127, 0.3290)
D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def fixed(*numbers: float) -> bytes:
    """s15Fixed16 numbers."""
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def curve(gamma: float | np.ndarray) -> bytes:
    """A tone curve, by its exponent or by a table from 0 to 1."""
    if isinstance(gamma, float):
        return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    return b"curv" + bytes(4) + struct.pack(">I", len(gamma)) + np.rint(gamma * 65535).astype(">u2").tobytes()


def profile(kind: bytes, space: bytes, connection: bytes, name: str, tags: dict[bytes, bytes]) -> bytes:
    """A profile's bytes."""
    text = name.encode() + b"\0"
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)} | tags
    tags |= {b"wtpt": b"XYZ " + bytes(4) + fixed(*D50)}
    place, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for tag, data in tags.items():
        table += tag + struct.pack(">II", place + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = bytes(4) + b"none" + struct.pack(">I", 0x02400000) + kind + space + connection + bytes(12) + b"acsp"
    head = head.ljust(68, b"\0") + fixed(*D50)
    whole = head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


def xyz(x: float, y: float) -> np.ndarray:
    """Of a chromaticity, with Y 1."""
    return np.array([x / y, 1, (1 - x - y) / y])


def display(name: str = "Display P3", primaries=P3, gamma: float | np.ndarray = 2.2) -> bytes:
    """A display's profile."""
    columns = np.stack([xyz(*each) for each in primaries], 1)
    matrix = columns * np.linalg.solve(columns, xyz(*D65))
    cones = (BRADFORD @ D50) / (BRADFORD @ xyz(*D65))
    matrix = np.linalg.inv(BRADFORD) @ np.diag(cones) @ BRADFORD @ matrix
    tags = {}
    for index, colour in enumerate("rgb"):
        tags[f"{colour}XYZ".encode()] = b"XYZ " + bytes(4) + fixed(*matrix[:, index])
        tags[f"{colour}TRC".encode()] = curve(gamma)
    return profile(b"mntr", b"RGB ", b"XYZ ", name, tags)


def gray(gamma: float) -> bytes:
    """A gray scale's profile."""
    return profile(b"mntr", b"GRAY", b"XYZ ", f"gray gamma {gamma}", {b"kTRC": curve(gamma)})


def ink() -> bytes:
    """A printer's profile: full cyan, of whatever else there is, is Lab (50, -40, -40), and no ink is white."""
    lab = [(50, -40, -40) if inks[0] else (0, 0, 0) if any(inks) else (100, 0, 0) for inks in
           itertools.product((0, 1), repeat=4)]  # fmt: skip
    table = bytes(round(value) for L, a, b in lab for value in (L * 2.55, a + 128, b + 128))
    ramp = bytes(range(256))
    head = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    return profile(b"prtr", b"CMYK", b"Lab ", "ink", {b"A2B0": head + ramp * 4 + table + ramp * 3})
