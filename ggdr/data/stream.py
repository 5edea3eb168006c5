"""Images read in one pass from the Hugging Face Hub or from parquet files, for sets too large to keep on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ggdr.data.base import DataSet, Images
from ggdr.registry import datasets


@datasets.register("stream")
@dataclass(frozen=True, kw_only=True)
class ImageStream(DataSet):
    """Images of a Hub data set or of parquet files, read as they come through a shuffle buffer, nothing stored."""

    source: str = ""
    """Hub id such as org/name, .parquet file, or folder of parquet files"""
    size: int | tuple[int, int] | None = None
    """height and width, or one number for both, pixels; None: as the first image"""
    channels: int = 0
    """1 gray, 3 RGB (transparency over white), 4 RGBA, all of arrays; 0: as nine in ten of a sample have, else 3"""
    range: tuple[float, float] | None = None
    """values that become 0 and 255, of deep images and arrays; None: 0 65535 of whole numbers, 0 1 of floats"""
    crop: Literal["centre", "pad", "none"] = "centre"
    """to the aspect ratio: cut about the centre, add margins and keep the whole image, or squeeze it"""
    fill: str = "black"
    """colour of the margins of `pad`: a colour's name, #rrggbb, or reflect, the image mirrored at its edges"""
    labels: str = ""
    """column of labels: named classes, numbers or lists of numbers; empty: none"""
    label_kind: Literal["auto", "continuous"] = "auto"
    """whole numbers without names: auto refuses them, since a stream cannot number classes; continuous: as numbers"""
    mirror: bool = False
    """show each image mirrored half of the times"""
    buffer: int = 10_000
    """encoded images held in memory to shuffle among"""
    length: int | None = None
    """images in one epoch; None: as the source says"""
    image_column: str = ""
    """column of the images; empty: the only one that can be"""
    split: str = "train"
    """split of the data set"""
    config: str = ""
    """configuration of a Hub data set that has several"""

    def identity(self) -> str:
        return self.source

    def hub_id(self) -> str:
        from ggdr.data.reading.tables.hub import HubTable

        return self.source if HubTable.fits(self.source) else ""

    def asks(self) -> str:
        return "" if self.hub_id() else "--data.source HUB_ID_OR_PARQUET"

    def open(self) -> Images:
        """Read the first image; UserError, in one sentence, if there is nothing to read."""
        from ggdr.data.reading.streamed import open_stream

        return open_stream(self)
