"""Label maps against each other: counts of pixels by class, and the numbers that are made of them."""

from __future__ import annotations

import torch
from torch import Tensor

from ggdr.ops.pixels import IGNORED


def confusion(found: Tensor, true: Tensor, classes: int) -> Tensor:
    """Pixels of each true class (rows) that were found to be of each class (columns): [classes, classes] int64.

    Both are class numbers of any one shape; pixels whose true class is IGNORED are left out.
    """
    known = true != IGNORED
    pairs = true[known].long() * classes + found[known].long()
    return torch.bincount(pairs, minlength=classes**2).view(classes, classes)


def mean_iou(counts: Tensor) -> float:
    """Mean of intersection over union of the classes that occur in the true maps, 0 to 1, of `confusion`'s counts.

    NaN if no class occurs.
    """
    hits, true, found = counts.diag().double(), counts.sum(1), counts.sum(0)
    return float((hits / (true + found - hits))[true > 0].mean())


def pixel_accuracy(counts: Tensor) -> float:
    """Share of pixels whose class is found, 0 to 1, of `confusion`'s counts; NaN without pixels."""
    return float(counts.diag().sum().double() / counts.sum())


def adjusted_rand_index(counts: Tensor) -> float:
    """Adjusted Rand index of two partitions, from the number of items in each pair of their parts: counts [A, B].

    1: they are the same, 0: as like as chance makes them (Hubert and Arabie 1985, doi 10.1007/BF01908075, eq. 5).
    """
    pairs, first, second, every = (
        (number.double() * (number.double() - 1) / 2).sum()
        for number in (counts, counts.sum(dim=1), counts.sum(dim=0), counts.sum())
    )
    by_chance, most = first * second / every, (first + second) / 2
    return 1.0 if most == by_chance else float((pairs - by_chance) / (most - by_chance))
