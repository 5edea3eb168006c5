"""Images of which few have labels: what semi-supervised games learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ggdr.data.base import DataSet, Images
from ggdr.data.digits import Digits
from ggdr.errors import not_negative
from ggdr.registry import datasets


@datasets.register("semi_supervised", paper="1511.05644")
@dataclass(frozen=True, kw_only=True)
class SemiSupervised(DataSet):
    """Two domains of any labelled images: a few with their labels, and all without (Makhzani et al. 2015, sec. 5).

    As many of each class are drawn, and the labels of all others are left unread.
    """

    images: DataSet = Digits(labels=True)
    """the images, with labels of classes"""
    labelled: int = 100
    """images that keep their labels, a multiple of the classes; 0: all of them"""
    label_seed: int = 0
    """which images these are; each seed draws others"""

    def __post_init__(self) -> None:
        not_negative(self, "labelled", "label_seed")

    def identity(self) -> str:
        return self.images.identity()

    def root(self) -> Path | None:
        return self.images.root()

    def hub_id(self) -> str:
        return self.images.hub_id()

    def asks(self) -> str:
        return self.images.asks()

    def check_source(self) -> None:
        self.images.check_source()

    def held_out(self) -> SemiSupervised | None:
        """The images that are held out, all of them with their labels."""
        held_out = self.images.held_out()
        return None if held_out is None else replace(self, images=held_out, labelled=0)

    def open(self) -> Images:
        """Look at the images and draw those with labels; UserError if they have none, or a class has too few."""
        from ggdr.data.reading.domains.partly_labelled import open_partly_labelled

        return open_partly_labelled(self)
