"""Images from folders, archives, tables, arrays, addresses or the Hugging Face Hub, resized on the fly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ggdr.changes import MayChange
from ggdr.data.base import DataSet, Images
from ggdr.data.reading.files.patterns import is_address
from ggdr.registry import datasets

if TYPE_CHECKING:
    from ggdr.features.base import FeatureStatistics


@datasets.register("images")
@dataclass(frozen=True, kw_only=True)
class ImageFiles(DataSet):
    """Images of a folder, archive, table, array or Hub data set, of any size and mode, resized on the fly."""

    source: str = ""
    """folder, .zip, .tar or many, .parquet, save_to_disk, LMDB, .h5, .npz, an address of these, or Hub id (org/name)"""
    size: int | tuple[int, int] | None = None
    """height and width, or one number for both, pixels; None: that of the images, if they agree"""
    channels: int = 0
    """1 gray, 3 RGB (transparency over white), 4 RGBA, all of arrays; 0: as nine in ten of a sample have, else 3"""
    load_size: int | tuple[int, int] | None = None
    """height and width that images get before a random part of `size` is cut (286 for 256); None: no jitter"""
    range: tuple[float, float] | None = None
    """values that become 0 and 255, of deep images and arrays; None: 0 65535 of whole numbers, 0 1 of floats"""
    crop: Literal["centre", "pad", "none"] = "centre"
    """to the aspect ratio: cut about the centre, add margins and keep the whole image, or squeeze it"""
    fill: str = "black"
    """colour of the margins of `pad`: a colour's name, #rrggbb, or reflect, the image mirrored at its edges"""
    labels: str = ""
    """empty: none; "folders": sub-folders are classes ("top-folders": also those called train or 00000); FILE or
    FILE:COLUMN, a .csv, .tsv, .jsonl or dataset.json, there or among the images; a column of the table;
    cls or json.KEY of a WebDataset"""
    label_kind: Literal["auto", "classes", "continuous", "text"] = "auto"
    """each value a class, numbers as they stand, or texts, of which the words count; auto: words are classes, whole
    numbers by what they look like"""
    unlabelled: Literal["refuse", "skip", "class"] = "refuse"
    """images without a label (none, empty, NaN, unknown): say so and stop, leave them out, or a further class"""
    only: str = ""
    """the images of this class of `labels` alone, which then are no labels; empty: all"""
    files: str = ""
    """the files whose names match this pattern alone, as *_labelIds.png or trainA/*; empty: all"""
    mirror: bool = False
    """add the mirror image of each, which doubles the epoch"""
    flip: bool = False
    """mirror each image half of the times that it is shown, at random"""
    subset: int | None = None
    """use N of the images; None: all"""
    subset_seed: int | None = 0
    """draws the subset: a larger one holds the smaller ones; None: the first ones"""
    image_column: str = ""
    """column, array or ending of the images, where there are several; empty: the only one that can be"""
    split: str = "train"
    """split of a Hub or saved data set, of a folder of parquet files, or of folders train, valid, ...; all: each"""
    config: str = ""
    """configuration of a Hub data set that has several"""
    cache_mb: MayChange[int] = 512
    """keep decoded images in memory if all of them fit into N MB; 0: never"""

    def identity(self) -> str:
        return self.source

    def root(self) -> Path | None:
        folder = Path(self.source).expanduser() if self.source else None
        return folder if folder is not None and folder.is_dir() else None

    def hub_id(self) -> str:
        from ggdr.data.reading.tables.hub import HubTable

        return self.source if HubTable.fits(self.source) else ""

    def asks(self) -> str:
        return "" if self.hub_id() or is_address(self.source) else "--data.source FOLDER_OR_ZIP_OR_HUB_ID"

    def held_out(self) -> ImageFiles | None:
        """The split test in full, else val, without jitter, where the source has one; None: itself."""
        from ggdr.data.reading.opening import test_split

        split = test_split(self) if self.split == "train" else ""
        found = replace(self, split=split, load_size=None, flip=False, mirror=False, subset=None)
        return found if split else None

    def statistics(self) -> FeatureStatistics | None:
        from ggdr.data.reading.arrays.statistics import read_statistics

        return read_statistics(self.source)

    def check_source(self) -> None:
        from ggdr.data.reading.detect import check_source

        check_source(self.source)

    def open(self) -> Images:
        """Look at the source and a sample of its images; UserError, in one sentence, if there is nothing to read."""
        from ggdr.data.reading.opening import open_images

        return open_images(self)
