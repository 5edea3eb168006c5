"""Emoji as arrays: all layers, the lines alone, or which of the palette's colours is where."""

from __future__ import annotations

import io
from typing import Literal
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from ggdr.lazy import optional

PALETTE = """
FCEA2B 92D3F5 A57939 D0CFCE 6A462F EA5A47 9B9B9A 3F3F3F D22F27 DEBB90 C19A65 FADCBC FFFFFF 000000
61B2E4 F1B31C B1CC33 5C9E31 F4AA41 E27022 1E50A0 8967AA FFA7C0 B399C8 E67A94 186648 781E32 352318
""".split()
"""all colours of OpenMoji's colour layers, RRGGBB"""
COLOURS = np.array([list(bytes.fromhex(colour)) for colour in PALETTE], np.int32)
BACKGROUND, LINE = 0, 1 + len(PALETTE)
"""classes of a label map; 1 .. 28 are the colours of the palette"""
CLASSES = LINE + 1
OPAQUE = 128
"""least alpha of what a label map takes for drawn"""
SVG = "http://www.w3.org/2000/svg"


def picture(svg: str, size: int) -> np.ndarray:
    """The whole picture, RGBA uint8 [4, size, size]."""
    return np.ascontiguousarray(rasterize(svg, size).transpose(2, 0, 1))


def lines(svg: str, size: int) -> np.ndarray:
    """The line drawing alone, black on white, uint8 [1, size, size]."""
    return 255 - rasterize(layers(svg, of_lines=True), size)[None, :, :, 3]


def label_map(svg: str, size: int) -> np.ndarray:
    """Class numbers uint8 [1, size, size]: background 0, the palette's colours 1 .. 28, lines 29; nothing is smooth."""
    colour, line = (rasterize(layers(svg, of_lines), size, smooth=False) for of_lines in (False, True))
    return classify(colour, line[..., 3] >= OPAQUE)[None]


def classify(colour: np.ndarray, on_line: np.ndarray) -> np.ndarray:
    """The class [H, W] of each pixel of RGBA colours [H, W, 4], given where the lines are [H, W]."""
    values, inverse = np.unique(colour[..., :3].reshape(-1, 3), axis=0, return_inverse=True)
    distance = np.square(values.astype(np.int32)[:, None] - COLOURS).sum(-1)
    nearest = (1 + distance.argmin(1))[inverse].reshape(on_line.shape)
    shown = np.where(colour[..., 3] >= OPAQUE, nearest, BACKGROUND)
    return np.where(on_line, LINE, shown).astype(np.uint8)


def layers(svg: str, of_lines: bool) -> str:
    """The SVG with its layers of lines alone, or with all others."""
    root = ElementTree.fromstring(svg)
    for group in list(root):
        if group.get("id", "").startswith("line") != of_lines and group.tag != f"{{{SVG}}}defs":
            root.remove(group)
    return ElementTree.tostring(root, "unicode")


def rasterize(svg: str, size: int, smooth: bool = True) -> np.ndarray:
    """RGBA uint8 [size, size, 4]; MissingPackage without resvg."""
    with optional("openmoji", "drawing emoji needs"):
        from resvg_py import svg_to_bytes

    shapes: Literal["geometric_precision", "crisp_edges"] = "geometric_precision" if smooth else "crisp_edges"
    png = svg_to_bytes(svg_string=svg, width=size, height=size, shape_rendering=shapes, skip_system_fonts=True)
    with Image.open(io.BytesIO(bytes(png))) as image:
        return np.array(image.convert("RGBA"))
