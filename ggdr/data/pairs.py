"""Pairs of images, as a drawing and its photo: what paired translation trains on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ggdr.data.base import Images
from ggdr.data.domains import Domain, TwoDomains
from ggdr.registry import datasets


@dataclass(frozen=True, kw_only=True)
class LabelMaps:
    """How the images of the domain that is a label map are read; of which domain they are, `of` says."""

    of: Literal["none", "a", "b"] = "none"
    """the domain whose images are label maps, each pixel the number of a class; none: both are pictures"""
    classes: int = 0
    """K, the number of classes: values are 0 .. K-1 once they are mapped; others are refused"""
    ignore: tuple[int, ...] = (255, -1)
    """values of pixels that belong to no class, before they are mapped"""
    mapping: str = ""
    """values to classes: cityscapes (its 19 of training), shift (0 belongs to no class, 1 .. K become 0 .. K-1), a
    .csv of value and class, or 7:0,8:1,...: values that it does not name belong to no class; empty: as they stand"""
    instances: Domain = field(default_factory=Domain)
    """maps of instances, whose edges are a further channel; without a source: none"""


@datasets.register("pairs", paper="1611.07004")
@dataclass(frozen=True, kw_only=True)
class Pairs(TwoDomains):
    """Pairs: pictures side by side, two folders by name, two columns, or a CSV of two paths (pix2pix)."""

    source: str = ""
    """pictures side by side, A left and B right, of any kind that images has; a folder or archive with two folders of
    equal names; a table with two columns of images; a .csv of two paths. Empty: `a` and `b` say where each is"""
    layout: Literal["auto", "side_by_side", "folders", "columns", "csv"] = "auto"
    """how the pairs lie in the source; auto: by what is there"""
    direction: Literal["a_to_b", "b_to_a"] = "a_to_b"
    """which is given and which is to be made"""
    labels: str = ""
    """label vectors of the pairs, as of images: folders, a FILE or a column; empty: none"""
    maps: LabelMaps = field(default_factory=LabelMaps)
    """label maps, where one of the domains holds them"""

    def open(self) -> Images:
        """Look at the pairs; UserError, in one sentence, if there are none, or if an image lacks its partner."""
        from ggdr.data.reading.domains.paired import open_pairs

        return open_pairs(self)
