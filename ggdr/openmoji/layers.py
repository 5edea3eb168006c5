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
STAND_IN = "FF00FF"
"""what lines are drawn with for a label map, since black is a colour of the palette as well"""
COLOURS = np.array([list(bytes.fromhex(colour)) for colour in [*PALETTE, STAND_IN]], np.int32)
"""RGB of classes 1, 2, ...: of the palette, then of lines"""
BACKGROUND, LINE = 0, len(COLOURS)
"""classes of a label map; 1 .. 28 are the colours of the palette"""
CLASSES = LINE + 1
BLACK = ("#000", "#000000")
OPAQUE = 128
"""least alpha of what a label map takes for drawn"""


def picture(svg: str, size: int) -> np.ndarray:
    """The whole picture, RGBA uint8 [4, size, size]."""
    return np.ascontiguousarray(rasterize(svg, size).transpose(2, 0, 1))


def lines(svg: str, size: int) -> np.ndarray:
    """The line drawing alone, black on white, uint8 [1, size, size]."""
    root = ElementTree.fromstring(svg)
    for group in list(root):
        if not has_lines(group) and not group.tag.endswith("defs"):
            root.remove(group)
    return 255 - rasterize(ElementTree.tostring(root, "unicode"), size)[None, :, :, 3]


def label_map(svg: str, size: int) -> np.ndarray:
    """Class numbers uint8 [1, size, size]: background 0, the palette's colours 1 .. 28, lines 29; nothing is smooth."""
    root = ElementTree.fromstring(svg)
    for group in filter(has_lines, root):
        recolour(group, "fill" in root.attrib)
    drawn = rasterize(ElementTree.tostring(root, "unicode"), size, smooth=False)
    values, inverse = np.unique(drawn[..., :3].reshape(-1, 3), axis=0, return_inverse=True)
    distance = np.square(values.astype(np.int32)[:, None] - COLOURS).sum(-1)
    nearest = (1 + distance.argmin(1))[inverse].reshape(size, size)
    return np.where(drawn[..., 3] >= OPAQUE, nearest, BACKGROUND).astype(np.uint8)[None]


def has_lines(group: ElementTree.Element) -> bool:
    """Whether it is a layer of lines; some lie below those of colour, and some colours above the lines."""
    return group.get("id", "").startswith("line")


def recolour(group: ElementTree.Element, inherits: bool) -> None:
    """Draw what is black in a group of lines with the stand-in; `inherits`: its fill is chosen further up."""
    for element in group.iter():
        for way in ("fill", "stroke"):
            if element.get(way, "").lower() in BLACK:
                element.set(way, f"#{STAND_IN}")
    if "fill" not in group.attrib and not inherits:
        group.set("fill", f"#{STAND_IN}")


def rasterize(svg: str, size: int, smooth: bool = True) -> np.ndarray:
    """RGBA uint8 [size, size, 4]; MissingPackage without resvg."""
    with optional("openmoji", "drawing emoji needs"):
        from resvg_py import svg_to_bytes

    shapes: Literal["geometric_precision", "crisp_edges"] = "geometric_precision" if smooth else "crisp_edges"
    png = svg_to_bytes(svg_string=svg, width=size, height=size, shape_rendering=shapes, skip_system_fonts=True)
    with Image.open(io.BytesIO(bytes(png))) as image:
        return np.array(image.convert("RGBA"))
