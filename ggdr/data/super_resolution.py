"""Pictures and what they are when smaller: what super-resolution trains on, made of pictures alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ggdr.data.base import DataSet, Images
from ggdr.data.images import ImageFiles
from ggdr.errors import above_zero
from ggdr.registry import datasets


@datasets.register("super_resolution", paper="1609.04802")
@dataclass(frozen=True, kw_only=True)
class SuperResolution(DataSet):
    """Random parts of pictures of any size, and the same parts made smaller: pairs for super-resolution (SRGAN).

    A part is what the whole picture, made smaller, shows there. Smaller pictures that are there already are pairs:
    `--data pairs`.
    """

    source: str = ""
    """pictures of any sizes, in what `--data.source` of images takes"""
    factor: int = 4
    """times that the small pictures are smaller"""
    size: int | tuple[int, int] = 96
    """height and width of the large parts, or one number for both, pixels, multiples of `factor`"""
    filter: Literal["bicubic", "area"] = "bicubic"
    """how pictures are made smaller: by an antialiased bicubic filter, as the papers do, or means of pixels"""
    channels: int = 0
    """1 gray, 3 RGB (transparency over white), 4 RGBA; 0: as nine in ten of a sample have, else 3"""
    flip: bool = False
    """mirror each part half of the times that it is shown, at random"""
    rotate: bool = False
    """turn each square part by 90 degrees half of the times that it is shown, at random"""
    test_source: str = ""
    """pictures that metrics and grids look at, the middle of each; empty: as `hold_out` says"""
    hold_out: int = 0
    """pictures that are kept for tests, where there is no `test_source`: they are the split test"""
    split: Literal["train", "test"] = "train"
    """the part that is read: test shows the middle of each picture"""
    subset: int | None = None
    """use N of the pictures; None: all"""

    def __post_init__(self) -> None:
        above_zero(self, "factor")

    def pictures(self) -> ImageFiles:
        """The settings of what holds the pictures."""
        source = self.test_source if self.split == "test" and self.test_source else self.source
        return ImageFiles(source=source, size=self.size, channels=self.channels)

    def identity(self) -> str:
        return self.source

    def root(self) -> Path | None:
        return self.pictures().root()

    def hub_id(self) -> str:
        return self.pictures().hub_id()

    def asks(self) -> str:
        return self.pictures().asks()

    def held_out(self) -> SuperResolution | None:
        """The middle of each picture of the tests, if there are any."""
        if self.split == "test" or not (self.test_source or self.hold_out):
            return None
        return replace(self, split="test", flip=False, rotate=False, subset=None)

    def open(self) -> Images:
        """Look at the source and a sample of its pictures; UserError, in one sentence, if there is nothing to read."""
        from ggdr.data.reading.domains.downscaled import open_downscaled

        return open_downscaled(self)
