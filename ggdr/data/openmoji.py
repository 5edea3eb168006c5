"""Emoji of OpenMoji, drawn at any size: colour pictures, their classes, and what can be translated into them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from ggdr.data.base import DataSet, Images
from ggdr.registry import datasets


@datasets.register("openmoji")
@dataclass(frozen=True, kw_only=True)
class OpenMoji(DataSet):
    """4,495 emoji as colour pictures over white, drawn from SVG once: no download (OpenMoji 17, CC BY-SA 4.0)."""

    task: Literal["colour", "lines_to_colour", "unpaired", "label_map", "super_resolution"] = "colour"
    """colour: pictures alone; else what they are made of: their lines, the lines of other emoji (without pairs), a map
    of their 28 colours, background and lines, or the picture at a quarter of the size"""
    size: int = 64
    """height and width, pixels"""
    part: Literal["train", "test", "all"] = "train"
    """two thirds of the drawings to learn from, the third that is held out, or all; unpaired learns from the lines of
    one third and the colours of another, and its held-out third are pairs"""
    channels: int = 3
    """3: RGB over white; 4: RGBA"""
    gray_lines: bool = True
    """lines have one channel; False: as many as pictures, so that a translator of lines can be shown pictures"""
    labels: Literal["none", "groups", "tones", "groups and tones", "names"] = "none"
    """condition on Unicode's group (10 classes), on skin tone (7 classes, or those of `tones`), on both at once, or on
    the words of Unicode's name, such as "black cat" """
    groups: tuple[str, ...] = ()
    """only emoji of these groups, such as smileys or flags; empty: of all"""
    tones: tuple[str, ...] = ()
    """only emoji of these skin tones, such as light or dark, which then are the classes of `tones`; empty: of all"""
    skin_tones: bool = True
    """also the drawings in five skin tones, which are near repeats; False: 2,460 drawings without"""
    mirror: bool = False
    """add the mirror image of each, which doubles the epoch"""
    subset: int | None = None
    """use only N of them, drawn at random, the same ones each time; None: all"""
    features: ClassVar[str] = "emoji"
    licence: ClassVar[str] = "CC BY-SA 4.0; all emoji are designed by OpenMoji, the open-source emoji and icon project"

    def identity(self) -> str:
        return self.name

    def held_out(self) -> DataSet | None:
        """The third of the drawings that no task learns from, pairs where the task has any; None: if it is this."""
        if self.part != "train":
            return None
        return replace(self, part="test", mirror=False, subset=None)

    def open(self) -> Images:
        """Draw the emoji unless they are in the cache; UserError, in one sentence, if a setting fits none."""
        from ggdr.data.reading.openmoji.opening import open_emoji

        return open_emoji(self)
