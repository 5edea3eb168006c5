"""MACCS fingerprints of molecules as a data set: 166 bits each, which are no image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from ggdr.data.base import DataSet, Images
from ggdr.errors import UserError, setting
from ggdr.registry import datasets

BUILT_IN = "nci"
"""name of the molecules that come with RDKit"""


@datasets.register("fingerprints", paper="10.1021/acs.molpharmaceut.7b00346")
@dataclass(frozen=True, kw_only=True)
class Fingerprints(DataSet):
    """MACCS keys of molecules, 166 bits each, as vectors of -1 and 1 (as druGAN has them, Kadurin et al. 2017).

    Each bit says whether a molecule has a certain substructure, or enough of it (Durant et al. 2002). Several molecules
    may have the same bits: the data set holds each fingerprint once, so that none that is held out was learnt from.
    """

    source: str = BUILT_IN
    """a file with one SMILES in each line, before the first blank; or nci: the first 4,999 compounds of the National
    Cancer Institute's open database, which come with RDKit"""
    hold_out: int = 478
    """fingerprints, drawn from all, that are kept for metrics and `ggdr encode`"""
    split: Literal["train", "test"] = "train"
    """the part that is read: what `hold_out` leaves, or what it keeps"""
    features: ClassVar[str] = "vectors"

    def identity(self) -> str:
        return self.source

    def held_out(self) -> Fingerprints | None:
        """The split test, if there is one."""
        return None if self.split == "test" or not self.hold_out else replace(self, split="test")

    def asks(self) -> str:
        return "" if self.source == BUILT_IN else f"{setting('source')} FILE"

    def check_source(self) -> None:
        if self.source != BUILT_IN and not Path(self.source).is_file():
            raise UserError(
                f"molecules are read from a file of SMILES, or from {BUILT_IN!r}, and {self.source!r} is none: set"
                f" {setting('source')} to one."
            )

    def open(self) -> Images:
        """Compute the fingerprints; UserError if the file holds no molecules, or fewer than are to be held out."""
        from ggdr_molecules.maccs import open_fingerprints

        self.check_source()
        return open_fingerprints(self)
