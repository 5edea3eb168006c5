"""Vectors of numbers that are no images: features of a network, fingerprints of molecules, measurements."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from ggdr.data.base import DataSet, Images
from ggdr.errors import UserError, setting
from ggdr.registry import datasets

BUILT_IN = "digits"
"""name of the source that comes with scikit-learn"""


@datasets.register("vectors")
@dataclass(frozen=True, kw_only=True)
class Vectors(DataSet):
    """Vectors of numbers, such as a network's features of images, from a .npz or .parquet file, with their classes.

    A vector of K numbers is an image of 1 x 1 px with K channels, float32. Of each class the file may say something
    beside its examples, such as an embedding of a text; by this a generator can make examples of classes that are held
    out (zero-shot learning).
    """

    source: str = BUILT_IN
    """a .npz file with arrays `vectors` [N, K] and, if there are classes, `classes` [N] (numbers or names),
    `class_names` [C], `class_vectors` [C, T] and `unseen` [U], names of classes to hold out; a .parquet file with
    columns `vector`, `class` and `class_vector`; or digits: scikit-learn's 1,797 scans of handwritten digits, 64
    numbers each, and which of seven segments show each"""
    labels: Literal["none", "classes", "class_vectors"] = "classes"
    """condition on the class, by its number or by what the file says of it; none if there are no classes"""
    unseen: tuple[str, ...] = ()
    """names of classes that are held out, whose places in the label vector stay if labels are classes; none: those that
    the .npz names"""
    part: Literal["seen", "unseen", "all"] = "seen"
    """vectors of the classes to learn from, of those that are held out, or of all"""
    scale: Literal["each", "all", "none"] = "each"
    """numbers are brought to [-1, 1] by the least and greatest value of each of the K, or of all, over the classes to
    learn from; or stay as they are"""
    features: ClassVar[str] = "vectors"

    def identity(self) -> str:
        return self.source

    def held_out(self) -> DataSet | None:
        """The vectors of the classes that are held out; None: none are, or it is these."""
        from ggdr.data.reading.vectors import read_unseen

        return replace(self, part="unseen") if self.part == "seen" and read_unseen(self) else None

    def asks(self) -> str:
        return "" if self.source == BUILT_IN else f"{setting('source')} FILE"

    def check_source(self) -> None:
        file = Path(self.source)
        if self.source != BUILT_IN and not (file.is_file() and file.suffix in (".npz", ".parquet")):
            raise UserError(
                f"vectors are read from a .npz or .parquet file, or from {BUILT_IN!r}, and {self.source!r} is none: set"
                f" {setting('source')} to one."
            )

    def open(self) -> Images:
        """Read the vectors into memory; UserError if the file holds none, or no such classes."""
        from ggdr.data.reading.vectors import open_vectors

        self.check_source()
        return open_vectors(self)
