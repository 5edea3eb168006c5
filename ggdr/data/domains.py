"""Images of two domains without pairs, as of horses and of zebras: what unpaired translation trains on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ggdr.changes import MayChange
from ggdr.data.base import DataSet, Images
from ggdr.data.reading.files.patterns import is_address
from ggdr.registry import datasets


@dataclass(frozen=True, kw_only=True)
class Domain:
    """One of two domains: where its images are, and what holds for it alone."""

    source: str = ""
    """its images: what `--data.source` of images takes; empty: the source of both"""
    image_column: str = ""
    """column or array of its images, where the source has several"""
    config: str = ""
    """configuration of a Hub data set that has several"""
    labels: str = ""
    """labels of its images, as of images: folders, a FILE or a column; empty: none"""
    only: str = ""
    """the images of this class of the labels alone"""
    files: str = ""
    """the files whose names match this pattern alone, as *_labelIds.png or trainA/*; empty: all"""
    size: int | tuple[int, int] | None = None
    """height and width of its images, pixels; None: the size of both"""
    channels: int = 0
    """1 gray, 3 RGB, 4 RGBA; 0: as the data set says, or as most of its images have"""


@dataclass(frozen=True, kw_only=True)
class TwoDomains(DataSet):
    """What sets of two domains share; it is registered as none."""

    source: str = ""
    """what both domains are found in; empty: `a` and `b` say where each is"""
    a: Domain = field(default_factory=Domain)
    """the first domain, where it is not found by itself"""
    b: Domain = field(default_factory=Domain)
    """the second domain, where it is not found by itself"""
    names: tuple[str, str] | None = None
    """what pictures and numbers call the domains, as horse zebra; None: as they are found"""
    size: int | tuple[int, int] | None = None
    """height and width, or one number for both, pixels; None: that of the images, if they agree"""
    load_size: int | tuple[int, int] | None = None
    """height and width that images get before a random part of `size` is cut (286 for 256); None: no jitter"""
    flip: bool = False
    """mirror each image half of the times that it is shown, at random"""
    channels: int = 0
    """1 gray, 3 RGB (transparency over white), 4 RGBA; 0: as nine in ten of a sample have, else 3"""
    crop: Literal["centre", "pad", "none"] = "centre"
    """to the aspect ratio: cut about the centre, add margins and keep the whole image, or squeeze it"""
    fill: str = "black"
    """colour of the margins of `pad`: a colour's name, #rrggbb, or reflect, the image mirrored at its edges"""
    split: str = "train"
    """the part that is read: train or test, of folders such as trainA and testA, of a table, or as `hold_out` parts"""
    hold_out: int = 0
    """images of each domain that are kept for tests, where the source has none: they are the split test"""
    subset: int | None = None
    """use N images of each domain; None: all"""
    labels: str = ""
    """labels, as of images: folders, a FILE or a column; empty: none"""
    config: str = ""
    """configuration of a Hub data set that has several"""
    cache_mb: MayChange[int] = 512
    """keep decoded images in memory if all of them fit into N MB; 0: never"""

    def identity(self) -> str:
        return self.source or " ".join(filter(None, (self.a.source, self.b.source)))

    def root(self) -> Path | None:
        typed = [Path(each).expanduser() for each in (self.source, self.a.source, self.b.source) if each]
        return next((folder for folder in typed if folder.is_dir()), None)

    def hub_id(self) -> str:
        from ggdr.data.reading.tables.hub import HubTable

        return next((each for each in (self.source, self.a.source, self.b.source) if HubTable.fits(each)), "")

    def asks(self) -> str:
        return "" if self.hub_id() or is_address(self.source) else "--data.source FOLDER_OR_ZIP_OR_HUB_ID"

    def check_source(self) -> None:
        from ggdr.data.reading.detect import check_source

        for source in (self.source, self.a.source, self.b.source):
            if source and not Path(source).expanduser().exists() and Path(source).suffix != ".csv":
                check_source(source)  # what is there, and lists of pairs, are for `open` to judge

    def held_out(self) -> TwoDomains | None:
        """The test images as they are, in full: the split test, else val, or what `hold_out` keeps; None: itself."""
        from ggdr.data.reading.domains.layout import test_split

        split = test_split(self)
        found = replace(self, split=split, load_size=None, flip=False, subset=None)
        return found if split and found != self else None


@datasets.register("domains", paper="1703.10593")
@dataclass(frozen=True, kw_only=True)
class Domains(TwoDomains):
    """Two domains without pairs: trainA and trainB, any two folders, columns, configurations or classes (CycleGAN)."""

    source: str = ""
    """folder or archive with trainA, trainB, testA, testB, or with two folders; a table with two columns of images; a
    Hub id with two configurations; or what `labels` tells apart. Empty: `a` and `b` say where each is"""
    labels: str = ""
    """labels that tell the domains apart: folders, a FILE or a column, of which `names` are two classes; empty: none"""

    def open(self) -> Images:
        """Look at both domains; UserError, in one sentence, if one has nothing to read, or they are the same."""
        from ggdr.data.reading.domains.unpaired import open_domains

        return open_domains(self)
