"""What every data set is: settings that can be listed without reading a file, and what opening them gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from ggdr.lazy import Tensor
from ggdr.networks.base import ImageSpec
from ggdr.registry import Part, datasets

if TYPE_CHECKING:
    from ggdr.features.base import FeatureStatistics


class Batch(NamedTuple):
    """Real images of one process's part of a global batch."""

    images: Tensor
    """[N, C, H, W] uint8, or float32 where the spec says that they are continuous"""
    labels: Tensor | None = None
    """[N, L] float32; None: unconditional"""


class Content(NamedTuple):
    """Which images a data set holds, as far as that is known without reading them all."""

    images: int
    """in one epoch"""
    classes: tuple[str, ...] = ()
    """names of the label vector's entries"""
    revision: str = ""
    """name of the source as a whole; empty: not known"""
    labels: str = ""
    """hash of the labels of all images, where `items` does not hold them; empty: there are none"""
    items: Mapping[str, Tensor] = MappingProxyType({})
    """hashes int64 [N] of each item's "names", "stamps" (size, checksum) and "labels"; empty: not known"""


class Images:
    """An opened data set: an endless sequence of images; what lies at a position is a pure function of the seed."""

    spec: ImageSpec
    """size, channels and label width of its images"""
    notes: tuple[str, ...] = ()
    """what a person should know of how they are read; whole sentences"""
    unreadable: Mapping[str, str] = MappingProxyType({})
    """name of each file that could not be read so far -> why; the next readable image stands in for it"""
    forks: ClassVar[bool] = True
    """loader workers may be processes with a copy each; False: it is read by one thread"""
    mirrored: bool = False
    """an epoch has each image twice, once mirrored"""
    paired: bool = False
    """what lies at a position of each domain belongs together: that of the last one is the truth for the others"""

    @property
    def domains(self) -> Mapping[str, ImageSpec]:
        """Size, channels and label width of each domain's images, by its name; `spec` is that of the last one.

        Most sets have one domain, "real". A game of several looks at them by their order, and its pictures and numbers
        are called by their names.
        """
        return {"real": self.spec}

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the label vector's entries; empty: unconditional."""
        return self.spec.label_names

    def __len__(self) -> int:
        """Images in one epoch, mirrored copies counted."""
        raise NotImplementedError

    @property
    def originals(self) -> int:
        """Images in one epoch, mirrored copies not counted."""
        return len(self) // 2 if self.mirrored else len(self)

    def count(self, domain: str) -> int:
        """Images of a domain in one epoch, each once: an epoch of several is as long as the largest."""
        return len(self)

    def at(self, positions: list[int], seed: int) -> Batch:
        """The images at these positions of the endless order that `seed` gives: each epoch another permutation."""
        raise NotImplementedError

    def domain_batches(self, positions: list[int], seed: int) -> dict[str, Batch]:
        """What lies at these positions of each domain, by its name; a pair's images lie at the same place."""
        return {"real": self.at(positions, seed)}

    def content(self) -> Content:
        """Which images these are: a run that goes on is held against it."""
        return Content(len(self), self.spec.label_names)

    def note(self, unreadable: Mapping[str, str]) -> None:
        """Remember files that could not be read: name -> why."""
        if unreadable.keys() - self.unreadable.keys():
            self.unreadable = {**self.unreadable, **unreadable}


@dataclass(frozen=True, kw_only=True)
class DataSet(Part):
    """The settings of a data set."""

    registry = datasets

    features: ClassVar[str] = ""
    """the feature extractor made for such images, where there is one; empty: none, metrics use their own"""
    licence: ClassVar[str] = ""
    """licence of its images, and who made them, for model cards; empty: that depends on the source"""

    def identity(self) -> str:
        """Which images these are, for what a recipe says of them holds for no others: by default all settings count."""
        return repr(self)

    def root(self) -> Path | None:
        """The folder of which every image, at any depth, is data; None: there is none."""
        return None

    def hub_id(self) -> str:
        """The Hub data set that it reads; empty: it reads none."""
        return ""

    def held_out(self) -> DataSet | None:
        """The data set, without jitter, that metrics and grids of translators look at; None: itself."""
        return None

    def asks(self) -> str:
        """Flags that say where its images are on another computer; empty: they are found there all the same."""
        return ""

    def statistics(self) -> FeatureStatistics | None:
        """Mean and covariance of the features of its images, where its source holds them; None: it holds images."""
        return None

    def check_source(self) -> None:
        """UserError if its source is not there, as far as that is known without the import of torch."""

    def open(self) -> Images:
        """Look at the source and be ready to read; UserError, in one sentence, if there is nothing to read."""
        raise NotImplementedError
